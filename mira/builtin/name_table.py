"""Names that no free dictionary has as they are said, in canonical IPA.

They win over the voice's own lexicon, in any case, so none is a word of English too; an accent is
not written.
"""

_PEOPLE = """
Aaliyah əlˈiə | Adeyemi ˌɑdeɪˈɛmi | Agnieszka ˌæɡniˈɛʃkə | Aguilar ˈæɡwɪlˌɑɹ | Aisha aɪˈiʃə
Amina əmˈinə | Andres ɑndɹˈeɪs | Anjali ˈɑndʒəli | Anna ˈænə | Aoife ˈifə | Banerjee bˈænəɹdʒi
Benoit bənwˈɑ | Bernice bəɹnˈis | Beth bˈɛθ | Bhattacharya bˌʌtətʃˈɑɹjə | Bianchi biˈɑŋki
Caleb kˈeɪləb | Camila kəmˈilə | Caoimhe kwˈivə | Carlos kˈɑɹloʊs | Carrillo kəɹˈioʊ
Cervantes səɹvˈɑntɛs | Cesar sˈeɪzɑɹ | Chatterjee tʃˈætəɹdʒi | Chaudhary tʃˈaʊdəɹi
Cholmondeley tʃˈʌmli | Chukwuemeka tʃˌʊkwɛmˈɛkə | Ciaran kˈɪɹən | Coleen kɔlˈin | DeAndre diˈɑndɹeɪ
Desai dɛsˈaɪ | Diallo diˈɑloʊ | Duong dwˈɔŋ | Emmanuel ɪmˈænjuəl | Eoghan ˈoʊən | Eoin ˈoʊən
Eun ˈʊn | Felipe fəlˈipeɪ | Francois fɹɑnswˈɑ | Giannopoulos dʒˌiənˈɑpələs | Giovanni dʒˌioʊvˈɑni
Giuseppe dʒusˈɛpi | Graciela ɡɹˌɑsiˈɛlə | Guillermo ɡijˈɛɹmoʊ | Hamm hˈæm | Hoang hwˈɑŋ
Huong hwˈɔŋ | Huynh hwˈɪn | Isabelle ˈɪzəbˌɛl | Itzel ɪtsˈɛl | Jaime hˈaɪmeɪ | Jaramillo hˌɑɹəmˈijoʊ
Jesus heɪsˈus | Joaquin wɑkˈin | Justine dʒəstˈin | Kaczmarek kəzmˈɑɹɪk | Katarzyna kˌætəʒˈɪnə
Kavita kəvˈitə | Keisha kˈiʃə | Kwame kwˈɑmeɪ | Leticia lətˈiʃə | Lourdes lˈʊɹdɛs | Lowery lˈaʊəɹi
Lowry lˈaʊɹi | Lucia lusˈiə | Lukasz lˈukɑʃ | Lyons lˈaɪənz | MacLeod məklˈaʊd | Marci mˈɑɹsi
Margaux mˈɑɹɡoʊ | Margot mˈɑɹɡoʊ | Maurice mɔɹˈis | Metoyer mətˈɔɪəɹ | Millard mˈɪləɹd
Mohammed moʊhˈɑmɛd | Morales məɹˈælɛs | Moran məɹˈæn | Mukherjee mˈʊkəɹdʒi | Murillo mjʊɹˈioʊ
Neha nˈeɪhɑ | Nevaeh nəvˈeɪə | Ngo nˈoʊ | Nguyen wˈɪn | Niamh nˈiv | Nieves niˈeɪvɛs | Odell oʊdˈɛl
Okafor oʊkˈɑfɔɹ | Okeke oʊkˈeɪkeɪ | Okonkwo oʊkˈɑŋkwoʊ | Olga ˈoʊlɡə | Oluwaseun ˌoʊluwɑʃˈeɪun
Phuong fˈɔŋ | Polk pˈoʊk | Priya pɹˈijə | Qian tʃiˈɛn | Quinones kinjˈoʊnɛs | Raul ɹɑˈul
Roberto ɹəbˈɛɹtoʊ | Robles ɹˈoʊbləs | Rochelle ɹoʊʃˈɛl | Roisin ɹoʊʃˈin | Saleh sˈɑlə
Saoirse sˈɜɹʃə | Shanice ʃənˈis | Shaniqua ʃənˈikwə | Sinead ʃɪnˈeɪd | Siobhan ʃɪvˈɔn
Sophia soʊfˈiə | Thibodeaux tˈɪbədˌoʊ | Thuy twˈi | Tyrese taɪɹˈis | Venkataraman vˌɛŋkətəɹˈɑmən
Vicente vɪsˈɛnteɪ | Villanueva vˌɪlənuˈeɪvə | Wojciech vˈɔɪtʃɛk | Wojciechowski vˌɔɪtʃəhˈɔfski
Woodrow wˈʊdɹoʊ | Xi ʃˈi | Xiao ʃˈaʊ | Ximena hɪmˈɛnə | Xin ʃˈɪn | Xiomara siəmˈɑɹə | Xu ʃˈu
Zheng ʒˈɛŋ
"""
_PLACES = """
Baton bˈætən | Bexar bˈɛɹ | Bjornson bjˈɔɹnsən | Boise bˈɔɪsi | Cahuenga kəwˈɛŋɡə | Cienega siˈɛnəɡə
Coeur kˈɔɹ | Cucamonga kˌukəmˈɑŋɡə | D'alene dəlˈeɪn | Delancey dəlˈænsi | Jolla hˈɔɪə
Kosciuszko kˌɑsiˈʌskoʊ | Mackinac mˈækənˌɔ | Moines mˈɔɪn | Natchitoches nˈækətəʃ | Ocala oʊkˈælə
Okeechobee ˌoʊkɪtʃˈoʊbi | Schuylkill skˈukəl | Sepulveda səpˈʊlvədə | Sequim skwˈɪm | Tahoe tˈɑhoʊ
Wilshire wˈɪlʃəɹ
"""
_COMPANIES_AND_PRODUCTS = """
Airbnb ˌɛɹbˌiˌɛnbˈi | AirPods ˈɛɹpˌɑdz | CapGemini kæpdʒˈɛmɪni | CarPlay kˈɑɹplˌeɪ
DoorDash dˈɔɹdˌæʃ | DropBox dɹˈɑpbˌɑks | FaceTime fˈeɪstˌaɪm | FedEx fˈɛdˌɛks | FICO fˈaɪkoʊ
GitHub ɡˈɪthˌʌb | Huawei wˈɑweɪ | kubernetes kˌubəɹnˈɛtiz | MacBook mˈækbˌʊk | macOS mˈæk ˌoʊˌɛs
nginx ˈɛndʒɪn ˈɛks | Nissan nˈisɑn | OpenAI ˈoʊpən ˌeɪˈaɪ | PayPal pˈeɪpˌæl | Peloton pˈɛlətˌɑn
Postgres pˈoʊstɡɹɛs | Prius pɹˈiəs | QuickBooks kwˈɪkbˌʊks | SoundCloud sˈaʊndklˌaʊd
TikTok tˈɪktˌɑk | Uber ˈubəɹ | Verizon vəɹˈaɪzən | WhatsApp wˈʌtsˌæp | Xbox ˈɛksbˌɑks
Xfinity ɛksfˈɪnəti
"""
_DRUGS = """
alprazolam ælpɹˈæzəlˌæm | amlodipine æmlˈoʊdəpˌin | apixaban əpˈɪksəbˌæn
atorvastatin ətˌɔɹvəstˈætɪn | azithromycin əzˌɪθɹəmˈaɪsən | bupropion bjupɹˈoʊpiˌɑn
celecoxib sˌɛləkˈɑksɪb | cephalexin sˌɛfəlˈɛksən | cetirizine sətˈɪɹəzˌin
ciprofloxacin sˌɪpɹəflˈɑksəsən | citalopram saɪtˈæləpɹˌæm | clonazepam kloʊnˈæzəpˌæm
clopidogrel kloʊpˈɪdəɡɹˌɛl | cyclobenzaprine sˌaɪkloʊbˈɛnzəpɹˌin | Cymbalta sɪmbˈɔltə
diclofenac daɪklˈoʊfənˌæk | duloxetine dulˈɑksətˌin | Eliquis ˈɛləkwɪs
escitalopram ˌɛsaɪtˈæləpɹˌæm | famotidine fəmˈoʊtədˌin | Farxiga fɑɹsˈiɡə | Flonase flˈoʊneɪz
fluticasone flutˈɪkəsˌoʊn | gabapentin ɡˌæbəpˈɛntən | Humira hjumˈɪɹə | hydrocodone hˌaɪdɹəkˈoʊdoʊn
Januvia dʒənˈuviə | lamotrigine ləmˈoʊtɹɪdʒˌin | levetiracetam lˌɛvətɪɹˈæsətˌæm
levothyroxine lˌivoʊθaɪɹˈɑksin | Lexapro lˈɛksəpɹˌoʊ | lisinopril laɪsˈɪnəpɹˌɪl
loratadine ləɹˈætədˌin | lorazepam ləɹˈæzəpˌæm | losartan loʊsˈɑɹtən | Lunesta lunˈɛstə
meloxicam məlˈɑksɪkˌæm | metformin mɛtfˈɔɹmən | metoprolol mətˈoʊpɹəlˌɔl | montelukast mˌɑntəlˈukæst
Mounjaro maʊndʒˈɑɹoʊ | omeprazole oʊmˈɛpɹəzˌoʊl | ondansetron ɑndˈænsətɹˌɑn | Ozempic oʊzˈɛmpɪk
pantoprazole pæntˈoʊpɹəzˌoʊl | Paxlovid pˈækslˌoʊvɪd | pravastatin pɹˌævəstˈætɪn
quetiapine kwətˈaɪəpˌin | rosuvastatin ɹoʊsˌuvəstˈætɪn | semaglutide sˌɛməɡlˈutaɪd
sertraline sˈɜɹtɹəlˌin | simvastatin sˌɪmvəstˈætɪn | tamsulosin tæmsˈuləsən
topiramate toʊpˈɪɹəmˌeɪt | valacyclovir vˌæləsˈaɪkləvˌɪɹ | venlafaxine vˌɛnləfˈæksin
Wegovy wəɡˈoʊvi | Xarelto zəɹˈɛltoʊ | Zoloft zˈoʊlɔft | zolpidem zˈoʊlpədˌɛm | Zyrtec zˈɜɹtɛk
"""


def _read(table: str) -> dict[str, str]:
    entries = (entry.strip() for line in table.splitlines() if line for entry in line.split("|"))
    return dict(entry.split(" ", 1) for entry in entries)


WRITTEN = {
    **_read(_PEOPLE),
    **_read(_PLACES),
    **_read(_COMPANIES_AND_PRODUCTS),
    **_read(_DRUGS),
}
"""As they are usually written."""
NAMES = {name.lower(): sounds for name, sounds in WRITTEN.items()}

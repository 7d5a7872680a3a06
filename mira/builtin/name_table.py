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
Sophia soʊfˈiə | Thibodaux tˈɪbədˌoʊ | Thibodeaux tˈɪbədˌoʊ | Thuy twˈi | Tyrese taɪɹˈis
Venkataraman vˌɛŋkətəɹˈɑmən | Vicente vɪsˈɛnteɪ | Villanueva vˌɪlənuˈeɪvə | Wojciech vˈɔɪtʃɛk
Wojciechowski vˌɔɪtʃəhˈɔfski | Woodrow wˈʊdɹoʊ | Xi ʃˈi | Xiao ʃˈaʊ | Ximena hɪmˈɛnə | Xin ʃˈɪn
Xiomara siəmˈɑɹə | Xu ʃˈu | Zheng ʒˈɛŋ
"""
_PLACES = """
Avenida ˌævənˈidə | Baton bˈætən | Bexar bˈɛɹ | Bjornson bjˈɔɹnsən | Boise bˈɔɪsi
Cahuenga kəwˈɛŋɡə | Calle kˈaɪeɪ | Cienega siˈɛnəɡə | Coeur kˈɔɹ | Cucamonga kˌukəmˈɑŋɡə
D'alene dəlˈeɪn | Delancey dəlˈænsi | Divisadero dɪvˌɪzədˈɛɹoʊ | Jolla hˈɔɪə
Kosciuszko kˌɑsiˈʌskoʊ | Mackinac mˈækənˌɔ | Moines mˈɔɪn | Natchitoches nˈækətəʃ | Ocala oʊkˈælə
Okeechobee ˌoʊkɪtʃˈoʊbi | Schuylkill skˈukəl | Sepulveda səpˈʊlvədə | Sequim skwˈɪm | Tahoe tˈɑhoʊ
Wilshire wˈɪlʃəɹ
"""
_COMPANIES_AND_PRODUCTS = """
Airbnb ˌɛɹbˌiˌɛnbˈi | AirPods ˈɛɹpˌɑdz | Asus ˈeɪsus | CapGemini kæpdʒˈɛmɪni | Centene sɛntˈin
FedEx fˈɛdˌɛks | FICO fˈaɪkoʊ | Huawei wˈɑweɪ | Kia kˈiə | kubernetes kˌubəɹnˈɛtiz
Lufthansa lʊfthˈɑnzə | MacBook mˈækbˌʊk | macOS mˈæk ˌoʊˌɛs | nginx ˈɛndʒɪn ˈɛks | Nissan nˈisɑn
OpenAI ˈoʊpən ˌeɪˈaɪ | Peloton pˈɛlətˌɑn | Postgres pˈoʊstɡɹɛs | Prius pɹˈiəs
QuickBooks kwˈɪkbˌʊks | TikTok tˈɪktˌɑk | Uber ˈubəɹ | Verizon vəɹˈaɪzən | Xbox ˈɛksbˌɑks
Xfinity ɛksfˈɪnəti | Xiaomi ʃˈaʊmi
"""
_DRUGS = """
Abilify əbˈɪləfˌaɪ | Advair ˈædvɛɹ | alprazolam ælpɹˈæzəlˌæm | amlodipine æmlˈoʊdəpˌin
apixaban əpˈɪksəbˌæn | aripiprazole ˌæɹɪpˈɪpɹəzˌoʊl | atorvastatin ətˌɔɹvəstˈætɪn
azithromycin əzˌɪθɹəmˈaɪsən | baclofen bˈækləfən | benazepril bənˈæzəpɹˌɪl | bisacodyl bɪsˈækədˌɪl
budesonide bjudˈɛsənˌaɪd | bupropion bjupɹˈoʊpiˌɑn | buspirone bjˈuspəɹˌoʊn | celecoxib sˌɛləkˈɑksɪb
Celexa səlˈɛksə | cephalexin sˌɛfəlˈɛksən | cetirizine sətˈɪɹəzˌin | chlorthalidone klɔɹθˈælədˌoʊn
Cialis siˈælɪs | ciprofloxacin sˌɪpɹəflˈɑksəsən | citalopram saɪtˈæləpɹˌæm
clobetasol kloʊbˈeɪtəsˌɔl | clonazepam kloʊnˈæzəpˌæm | clopidogrel kloʊpˈɪdəɡɹˌɛl
Cosentyx koʊsˈɛntɪks | Coumadin kˈumədən | cyclobenzaprine sˌaɪkloʊbˈɛnzəpɹˌin | Cymbalta sɪmbˈɔltə
Depakote dˈɛpəkˌoʊt | diclofenac daɪklˈoʊfənˌæk | dicyclomine daɪsˈaɪkləmˌin | Diovan dˈaɪəvˌæn
docusate dˈɑkjəsˌeɪt | duloxetine dulˈɑksətˌin | dutasteride dutˈæstəɹˌaɪd | Effexor ɪfˈɛksəɹ
Eliquis ˈɛləkwɪs | empagliflozin ˌɛmpəɡlɪflˈoʊzən | enalapril ɪnˈæləpɹˌɪl
escitalopram ˌɛsaɪtˈæləpɹˌæm | ezetimibe ɛzˈɛtəmˌaɪb | famotidine fəmˈoʊtədˌin | Farxiga fɑɹsˈiɡə
fenofibrate fˌɛnoʊfˈaɪbɹeɪt | finasteride fənˈæstəɹˌaɪd | Flomax flˈoʊmæks | Flonase flˈoʊneɪz
Flovent flˈoʊvɛnt | fluconazole flukˈɑnəzˌoʊl | fluticasone flutˈɪkəsˌoʊn | gabapentin ɡˌæbəpˈɛntən
Glucophage ɡlˈukoʊfˌeɪdʒ | glyburide ɡlˈaɪbjəɹˌaɪd | Humira hjumˈɪɹə | hydrocodone hˌaɪdɹəkˈoʊdoʊn
irbesartan ˌɜɹbəsˈɑɹtən | Januvia dʒənˈuviə | ketoconazole kˌitoʊkˈɑnəzˌoʊl | ketorolac kitˈɔɹəlˌæk
lamotrigine ləmˈoʊtɹɪdʒˌin | latanoprost lətˈænəpɹˌɑst | levetiracetam lˌɛvətɪɹˈæsətˌæm
Levitra ləvˈitɹə | levothyroxine lˌivoʊθaɪɹˈɑksin | Lexapro lˈɛksəpɹˌoʊ | liraglutide lˌɪɹəɡlˈutaɪd
lisinopril laɪsˈɪnəpɹˌɪl | loratadine ləɹˈætədˌin | lorazepam ləɹˈæzəpˌæm | losartan loʊsˈɑɹtən
Lunesta lunˈɛstə | meloxicam məlˈɑksɪkˌæm | metformin mɛtfˈɔɹmən | methocarbamol mˌɛθəkˈɑɹbəmˌɔl
metoprolol mətˈoʊpɹəlˌɔl | mirtazapine məɹtˈæzəpˌin | montelukast mˌɑntəlˈukæst
Mounjaro maʊndʒˈɑɹoʊ | mupirocin mjupˈɪɹəsən | Neurontin nʊɹˈɑntən | norethindrone nɔɹˈɛθəndɹˌoʊn
NyQuil nˈaɪkwɪl | ofloxacin oʊflˈɑksəsən | olanzapine oʊlˈænzəpˌin | omeprazole oʊmˈɛpɹəzˌoʊl
ondansetron ɑndˈænsətɹˌɑn | Otezla oʊtˈɛzlə | Ozempic oʊzˈɛmpɪk | pantoprazole pæntˈoʊpɹəzˌoʊl
Paxlovid pˈækslˌoʊvɪd | Percocet pˈɜɹkəsˌɛt | pioglitazone pˌaɪəɡlˈɪtəzˌoʊn
pravastatin pɹˌævəstˈætɪn | Prilosec pɹˈaɪləsˌɛk | quetiapine kwətˈaɪəpˌin | ramipril ɹəmˈɪpɹɪl
Risperdal ɹˈɪspəɹdˌɔl | risperidone ɹɪspˈɛɹədˌoʊn | rivaroxaban ɹˌɪvəɹˈɑksəbˌæn
rosuvastatin ɹoʊsˌuvəstˈætɪn | semaglutide sˌɛməɡlˈutaɪd | sertraline sˈɜɹtɹəlˌin
simvastatin sˌɪmvəstˈætɪn | sitagliptin sˌɪtəɡlˈɪptən | Spiriva spəɹˈivə | Suboxone səbˈɑksoʊn
tadalafil tədˈæləfˌɪl | tamsulosin tæmsˈuləsən | telmisartan tˌɛlməsˈɑɹtən
terbinafine təɹbˈɪnəfˌin | tizanidine taɪzˈænədˌin | Topamax tˈoʊpəmˌæks | topiramate toʊpˈɪɹəmˌeɪt
Toprol tˈoʊpɹɔl | triamterene tɹaɪˈæmtəɹˌin | valacyclovir vˌæləsˈaɪkləvˌɪɹ | valsartan vælsˈɑɹtən
venlafaxine vˌɛnləfˈæksin | Wegovy wəɡˈoʊvi | Wellbutrin wɛlbjˈutɹən | Xarelto zəɹˈɛltoʊ
Zoloft zˈoʊlɔft | zolpidem zˈoʊlpədˌɛm | Zyprexa zaɪpɹˈɛksə | Zyrtec zˈɜɹtɛk
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

"""How written short forms are spoken: months, abbreviations, symbols.

Only data. Knows nothing about the patterns that use it.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

from mira.text.english.measures import CURRENCIES

MONTHS = {
    name[:3].lower(): name
    for name in (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )
}  # fmt: skip
MONTH_NAMES = [*MONTHS.values()]

WEEKDAYS = {
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "weds": "Wednesday",
    "thu": "Thursday", "thur": "Thursday", "thurs": "Thursday", "fri": "Friday",
    "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
WEEKDAY_NAMES = [*dict.fromkeys(WEEKDAYS.values())]
# In opening hours and timetables: "M-F", "T/Th", "Mo-Sa".
DAY_LETTERS = {
    "M": "Monday", "Mo": "Monday", "T": "Tuesday", "Tu": "Tuesday", "W": "Wednesday",
    "We": "Wednesday", "Th": "Thursday", "F": "Friday", "Fr": "Friday", "S": "Saturday",
    "Sa": "Saturday", "Su": "Sunday",
}  # fmt: skip

# Before 3/4: it is a day. (Patterns; the spaces in them are written as dots.)
DAY_FOLLOWS = """
    on due by until till? before after since from dated? starts? starting started begins?
    beginning ends? ending ended through between effective as.of dates deadline birthday dob
    birth born closed closes opens opened reopened arrives? arriving arrived delivery delivered
    delivers scheduled appointments? booked (?:set|down|planned|slated|confirmed|in).for today
    tomorrow yesterday tonight week.of posted departs? leaves? leaving returns? returning
    check-?in check-?out expires? expired expiring issued ships? shipped shipping moved.to
    rescheduled.to renews? renewed created placed ordered received paid processed submitted
    signed called emailed visited charged cancell?ed updated resolved joined refilled installed
    activated enrolled seen sent made came
    """.split()
# After 3/4: a part of it, no day. (Patterns.)
FRACTION_OF = """
    of cups? inch inches in\\. miles? hours? minutes? tsps? tbsps? teaspoons? tablespoons? pounds?
    lbs? oz ounces? acres? mi ft feet foot yards? kilometers? km gallons? quarts? pints? liters? kg
    grams? full empty price off majority vote scale stars? complete done finished way size
    ARM length width people users? steps? blocks? times? turns? pages? points? percent
    """.split()
# After a month: the name of a street. (A pattern.)
STREET_AFTER = (
    r"(?:St|Ave|Rd|Blvd|Dr|Ln|Ct|Street|Avenue|Road|Boulevard|Drive|Lane|Court|Way|Place)"
)

# After a time of day they stay letters.
ZONES = """
    EST EDT CST CDT MST MDT PST PDT AKST HST ET CT MT PT GMT UTC BST CET CEST EET IST JST AEST AEDT
    """.split()
# Chapter and verse follow.
BOOKS = """
    Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth Samuel Kings Chronicles Ezra
    Nehemiah Esther Job Psalm Psalms Proverbs Ecclesiastes Isaiah Jeremiah Lamentations Ezekiel
    Daniel Hosea Joel Amos Obadiah Jonah Micah Nahum Habakkuk Zephaniah Haggai Zechariah Malachi
    Matthew Mark Luke John Acts Romans Corinthians Galatians Ephesians Philippians Colossians
    Thessalonians Timothy Titus Philemon Hebrews James Peter Jude Revelation Surah Quran
    """.split()
SHORT_BOOKS = {
    "Gen": "Genesis", "Ex": "Exodus", "Exod": "Exodus", "Lev": "Leviticus", "Num": "Numbers",
    "Deut": "Deuteronomy", "Josh": "Joshua", "Sam": "Samuel", "Ps": "Psalm", "Prov": "Proverbs",
    "Eccl": "Ecclesiastes", "Isa": "Isaiah", "Jer": "Jeremiah", "Ezek": "Ezekiel",
    "Matt": "Matthew", "Rom": "Romans", "Cor": "Corinthians", "Gal": "Galatians",
    "Eph": "Ephesians", "Phil": "Philippians", "Col": "Colossians", "Thess": "Thessalonians",
    "Tim": "Timothy", "Heb": "Hebrews", "Jas": "James", "Pet": "Peter", "Rev": "Revelation",
}  # fmt: skip
# After a year: what is not counted but belongs to it, "2024 sales", or happens in it.
YEAR_NOUNS = """
    sales taxes elections earnings results models? games olympics finals figures numbers statements?
    rates prices revenues? profits returns awards bonuses reports? was is has does had saw brings
    starts begins ends marks works looks sees shows comes goes says seems means needs ours
    """.split()

SYMBOLS = {
    "&": "and", "+": "plus", "=": "equals", "%": "percent", "@": "at", "<": "less than",
    "&&": "and", "||": "or",
    ">": "greater than", "≤": "less than or equal to", "≥": "greater than or equal to",
    "<=": "less than or equal to", ">=": "greater than or equal to", "!=": "is not equal to",
    "==": "equals", "=>": "to", "->": "to", "→": "to", "←": "from", "≠": "is not equal to",
    "≈": "is about", "×": "times", "÷": "divided by", "±": "plus or minus", "°": "degrees",
    "↑": "up", "↓": "down", "⇒": "to", "⟶": "to",
    "²": "squared", "³": "cubed", "√": "the square root of", "∞": "infinity", "π": "pi",
    "§": "section", "~": "about", "^": "to the power of", "#": "number", "µ": "micro",
    "¢": "cents", "∑": "the sum of", "Ω": "ohms", "‰": "per mille", "¹": "one",
    **{symbol: words[1] for symbol, words in CURRENCIES.items() if len(symbol) == 1},
}  # fmt: skip
# In addresses every mark is named.
ADDRESS_MARKS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon",
    "+": "plus", "=": "equals", "&": "and", "#": "hash", "~": "tilde", "%": "percent",
    "?": "question mark",
}  # fmt: skip
DOMAINS = """
    com org net edu gov mil int info biz io ai app dev co uk de fr es it nl eu us ca au in jp cn
    ch at se no fi dk pl pt br mx ru tv fm me ly gg ie nz za sg xyz online store shop cloud tech
    site blog health bank live support help care travel agency law
    """.split()
FILE_TYPES = {
    "pdf": "PDF", "txt": "text", "csv": "CSV", "doc": "doc", "docx": "doc X", "xls": "XLS",
    "xlsx": "XLSX", "ppt": "PPT", "pptx": "PPTX", "jpg": "jpeg", "jpeg": "jpeg", "png": "PNG",
    "gif": "gif", "mp3": "MP three", "mp4": "MP four", "wav": "wave", "py": "pie", "js": "J S",
    "ts": "T S", "json": "jason", "yaml": "yammel", "yml": "Y M L", "toml": "toml", "md": "M D",
    "html": "HTML", "css": "CSS", "zip": "zip", "exe": "E X E", "sh": "S H", "log": "log",
    "xml": "XML", "sql": "SQL", "rs": "R S", "cpp": "C P P", "java": "java", "svg": "SVG",
    "webp": "web P", "mov": "M O V", "avi": "A V I", "tar.gz": "tar dot G Z", "gz": "G Z",
    "tar": "tar", "bak": "back", "cfg": "C F G", "ini": "I N I", "ics": "I C S", "eml": "E M L",
    "heic": "heic", "dmg": "D M G", "apk": "A P K", "iso": "I S O", "rtf": "RTF", "bat": "bat",
    "dll": "DLL", "psd": "PSD", "tiff": "tiff", "rar": "rar", "ipynb": "I P Y N B", "jsx": "J S X",
    "tsx": "T S X", "m4a": "M four A", "flac": "flack", "ogg": "ogg", "vcf": "V C F",
}  # fmt: skip

BEFORE_ROMAN = """
    Chapter Part Volume Act Book Section Phase Type Article Appendix Title War Bowl Class Level
    Stage Scene Figure Table Unit Grade Version Episode Season Apollo
    """.split()
RULERS = """
    Henry Louis George Edward Elizabeth Charles James Richard William Philip Alexander Nicholas
    Catherine Frederick Napoleon Pius Benedict John Paul Leo Gregory Clement Innocent Francis
    Peter Leopold Ferdinand Umberto Otto Ramses Ramesses Mary
    """.split()

# Written after a street's name, with or without a full stop.
STREETS = {
    "St": "Street", "Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Ln": "Lane", "Dr": "Drive", "Ct": "Court", "Pl": "Place", "Pkwy": "Parkway", "Pky": "Parkway",
    "Hwy": "Highway", "Sq": "Square", "Ter": "Terrace", "Terr": "Terrace", "Cir": "Circle",
    "Trl": "Trail", "Expy": "Expressway", "Expwy": "Expressway", "Fwy": "Freeway",
    "Xing": "Crossing", "Plz": "Plaza", "Cres": "Crescent", "Tpke": "Turnpike", "Aly": "Alley",
    "Brg": "Bridge", "Hts": "Heights", "Ctr": "Center", "Rte": "Route", "Mtn": "Mountain",
}  # fmt: skip
# Never shortened.
WAYS = "Way Row Loop Walk Path Mews Run Close Gardens Grove Broadway Pike Bend Wharf Quay".split()
DIRECTIONS = {
    "N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast", "NW": "Northwest",
    "SE": "Southeast", "SW": "Southwest",
}  # fmt: skip
# Expanded before a number or a letter.
BUILDINGS = {
    "Apt": "Apartment", "apt": "apartment", "Ste": "Suite", "ste": "suite", "Fl": "Floor",
    "fl": "floor", "Flr": "Floor", "Bldg": "Building", "bldg": "building", "Rm": "Room",
    "rm": "room", "Hwy": "Highway", "hwy": "highway", "Rte": "Route", "rte": "route",
    "Rt": "Route",
}  # fmt: skip
STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "DC": "DC", "FL": "Florida",
    "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana",
    "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine",
    "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York",
    "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "PR": "Puerto Rico", "RI": "Rhode Island", "SC": "South Carolina",
    "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin",
    "WY": "Wyoming",
}  # fmt: skip
PROVINCES = {
    "ON": "Ontario", "QC": "Quebec", "BC": "British Columbia", "AB": "Alberta", "MB": "Manitoba",
    "SK": "Saskatchewan", "NS": "Nova Scotia", "NB": "New Brunswick",
}  # fmt: skip

"""How quantities are written short, and what they are called: currencies, units, their nouns.

Only data. Knows nothing about the patterns that use it.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

_CENTS = ("cent", "cents")
_NONE = ("", "")

# Name: (one, many, one hundredth, many hundredths)
_MONEY = {
    "dollar": ("dollar", "dollars", *_CENTS),
    "euro": ("euro", "euros", *_CENTS),
    "pound": ("pound", "pounds", "penny", "pence"),
    "yen": ("yen", "yen", *_NONE),
    "rupee": ("rupee", "rupees", "paisa", "paise"),
    "won": ("won", "won", *_NONE),
    "ruble": ("ruble", "rubles", "kopeck", "kopecks"),
    "lira": ("lira", "lira", "kurush", "kurush"),
    "shekel": ("shekel", "shekels", "agora", "agorot"),
    "baht": ("baht", "baht", "satang", "satang"),
    "dong": ("dong", "dong", *_NONE),
    "peso": ("peso", "pesos", "centavo", "centavos"),
    "hryvnia": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "zloty": ("zloty", "zlotys", "grosz", "groszy"),
    "real": ("real", "reais", "centavo", "centavos"),
    "krona": ("krona", "kronor", "öre", "öre"),
    "krone": ("krone", "kroner", "øre", "øre"),
    "koruna": ("koruna", "korunas", "haler", "halers"),
    "forint": ("forint", "forints", *_NONE),
    "leu": ("leu", "lei", "ban", "bani"),
    "franc": ("franc", "francs", "centime", "centimes"),
    "yuan": ("yuan", "yuan", *_NONE),
    "rupiah": ("rupiah", "rupiah", *_NONE),
    "ringgit": ("ringgit", "ringgit", "sen", "sen"),
    "dirham": ("dirham", "dirhams", "fils", "fils"),
    "riyal": ("riyal", "riyals", "halala", "halalas"),
    "rand": ("rand", "rand", *_CENTS),
    "naira": ("naira", "naira", "kobo", "kobo"),
    "cedi": ("cedi", "cedis", "pesewa", "pesewas"),
    "shilling": ("shilling", "shillings", *_CENTS),
    "taka": ("taka", "taka", "poisha", "poisha"),
    "colón": ("colón", "colones", *_NONE),
    "tenge": ("tenge", "tenge", *_NONE),
    "lari": ("lari", "lari", *_NONE),
    "lev": ("lev", "leva", "stotinka", "stotinki"),
}
# Symbol or code: the country, if it is said, and the name.
_WRITTEN = """
    $ dollar | € euro | £ pound | ¥ yen | ₹ rupee | ₩ won | ₽ ruble | ₺ lira | ₪ shekel | ฿ baht
    ₫ dong | ₱ peso | ₴ hryvnia | ₦ naira | ₵ cedi | ₡ colón | ₸ tenge | ₾ lari | ৳ taka
    US$ US dollar | A$ Australian dollar | AU$ Australian dollar | C$ Canadian dollar
    CA$ Canadian dollar | CAD$ Canadian dollar | NZ$ New Zealand dollar | HK$ Hong Kong dollar
    S$ Singapore dollar | SG$ Singapore dollar | NT$ Taiwan dollar | MX$ Mexican peso
    Mex$ Mexican peso | R$ real | USD$ US dollar | AUD$ Australian dollar
    Rs. rupee | Rs rupee | kr krone | kr. krone | zł zloty | Kč koruna | Rp rupiah | RM ringgit
    CN¥ yuan | JP¥ yen
    USD US dollar | EUR euro | GBP pound | JPY yen | INR rupee | KRW won | CNY yuan | RMB yuan
    CAD Canadian dollar | AUD Australian dollar | NZD New Zealand dollar | HKD Hong Kong dollar
    SGD Singapore dollar | TWD Taiwan dollar | CHF Swiss franc | SEK Swedish krona
    NOK Norwegian krone | DKK Danish krone | ISK Icelandic krona | PLN zloty | CZK Czech koruna
    HUF forint | RUB ruble | TRY Turkish lira | ILS shekel | THB baht | VND dong
    PHP Philippine peso | UAH hryvnia | BRL Brazilian real | MXN Mexican peso | ZAR rand
    AED dirham | SAR Saudi riyal | QAR Qatari riyal | IDR rupiah | MYR ringgit | RON Romanian leu
    NGN naira | KES Kenyan shilling | EGP Egyptian pound | PKR Pakistani rupee | BDT taka
    LKR Sri Lankan rupee | COP Colombian peso | CLP Chilean peso | ARS Argentine peso
    GHS cedi | BGN lev
"""


def _currencies() -> dict[str, tuple[str, str, str, str]]:
    found = {}
    for entry in _WRITTEN.replace("\n", "|").split("|"):
        if written := entry.split():
            one, many, cent, cents = _MONEY[written[-1]]
            country = "".join(f"{word} " for word in written[1:-1])
            found[written[0]] = (country + one, country + many, cent, cents)
    return found


CURRENCIES = _currencies()
"""Symbol or code: (one, many, one hundredth, many hundredths)."""
DOTTED_THOUSANDS = frozenset(
    "€ EUR kr kr. SEK NOK DKK ISK zł PLN Kč CZK HUF RON BGN ₺ TRY R$ BRL RUB ₽ ₴ UAH Rp IDR ₫ VND "
    "ARS CLP COP".split()
)
"""Currencies of countries that write 1.299 for twelve hundred ninety-nine."""
SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "mil": "million",
    "mio": "million", "b": "billion", "bn": "billion", "bil": "billion", "t": "trillion",
    "tn": "trillion", "cr": "crore",
    **{name: name for name in "hundred thousand million billion trillion lakh crore".split()},
}  # fmt: skip

_METRIC = {
    "m": "meter", "g": "gram", "L": "liter", "l": "liter", "W": "watt", "Wh": "watt hour",
    "V": "volt", "A": "amp", "Ah": "amp hour", "Hz": "hertz", "Pa": "pascal", "J": "joule",
    "s": "second", "B": "byte", "b": "bit", "bps": "bit per second", "Ω": "ohm",
    "mol": "mole",
}  # fmt: skip
_PREFIXED = {
    "kilo": "km kg kW kWh kV kHz kPa kJ kB KB kb kbps Kbps kΩ", "mega": "MW MWh MHz MPa MB Mb Mbps "
    "MJ MV MΩ", "giga": "GW GWh GHz GB Gb Gbps", "tera": "TB Tbps TWh", "peta": "PB",
    "centi": "cm cl cL", "deci": "dm dL dl", "hecto": "hPa", "nano": "nm ns", "micro": "µm µg µs "
    "µL µA µV", "milli": "mm mg mL ml mW mV mA mAh ms mmol",
}  # fmt: skip
_PREFIXES = {short: prefix for prefix, shorts in _PREFIXED.items() for short in shorts.split()}
_OTHERS = {
    "m": "meter", "g": "gram", "L": "liter", "l": "liter", "W": "watt", "V": "volt", "A": "amp",
    "Hz": "hertz", "Ah": "amp hour", "Wh": "watt hour", "mph": "mile per hour",
    "MPH": "mile per hour", "kph": "kilometer per hour",
    "KPH": "kilometer per hour", "kmh": "kilometer per hour", "mpg": "mile per gallon",
    "MPG": "mile per gallon", "fps": "frame per second", "FPS": "frame per second",
    "rpm": "revolution per minute", "RPM": "revolution per minute", "bpm": "beat per minute",
    "BPM": "beat per minute", "mi": "mile", "yd": "yard", "yds": "yard", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "ozs": "ounce", "gal": "gallon", "gals": "gallon",
    "qt": "quart", "qts": "quart", "pt": "pint", "pts": "point", "fl oz": "fluid ounce",
    "min": "minute", "mins": "minute", "hr": "hour", "hrs": "hour", "h": "hour", "sec": "second",
    "s": "second", "secs": "second", "wk": "week", "wks": "week", "mo": "month", "mos": "month",
    "yr": "year", "yrs": "year", "px": "pixel", "ha": "hectare", "kcal": "kilocalorie",
    "ac": "acre",
    "cal": "calorie", "cals": "calorie", "tbsp": "tablespoon", "tbsps": "tablespoon",
    "Tbsp": "tablespoon", "tsp": "teaspoon", "tsps": "teaspoon", "kgs": "kilogram", "kms":
    "kilometer", "KM": "kilometer", "Km": "kilometer", "Kg": "kilogram", "KG": "kilogram",
    "gms": "gram", "gm": "gram", "mcg": "microgram", "mcL": "microliter", "cc": "cc",
    "IU": "international unit", "mEq": "milliequivalent", "MP": "megapixel", "dB": "decibel",
    "GiB": "gibibyte", "MiB": "mebibyte", "KiB": "kibibyte", "TiB": "tebibyte", "hp":
    "horsepower", "kn": "knot", "kt": "knot", "kts": "knot", "nmi": "nautical mile",
    "lm": "lumen", "lx": "lux", "Nm": "newton meter", "ppm": "part per million",
    "ppb": "part per billion", "mmHg": "millimeter of mercury", "mm Hg": "millimeter of mercury",
    "sqft": "square foot",
    "pcs": "piece", "pc": "piece",
    "pk": "pack", "pks": "pack", "kVA": "K V A", "mil": "million", "ml": "milliliter",
    "dozen": "dozen", "doz": "dozen", "gig": "gig", "gigs": "gig", "megs": "meg",
    "kcals": "kilocalorie", "mbps": "megabit per second", "gbps": "gigabit per second",
    "gb": "gigabyte", "mb": "megabyte", "tb": "terabyte", "psi": "PSI", "PSI": "PSI",
    "MBps": "megabyte per second", "GBps": "gigabyte per second", "kBps": "kilobyte per second",
    "in": "inch", "ft": "foot", "ft-lb": "foot pound", "ft-lbs": "foot pound",
}  # fmt: skip
_LENGTHS = {
    "m": "meter", "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "ft": "foot",
    "in": "inch", "mi": "mile", "yd": "yard",
}  # fmt: skip
_PLURALS = {
    "foot": "feet", "inch": "inches", "hertz": "hertz", "lux": "lux", "horsepower": "horsepower",
    "PSI": "PSI", "K V A": "K V A", "million": "million", "dozen": "dozen", "cc": "cc",
}  # fmt: skip


def _many(one: str) -> str:
    for link in (" per ", " of "):
        head, found, rest = one.partition(link)
        if found:
            return _many(head) + found + rest
    first, space, last = one.rpartition(" ")
    if one in _PLURALS:
        return _PLURALS[one]
    if last.endswith("hertz"):
        return one
    return first + space + _PLURALS.get(last, last + "s")


def _units() -> dict[str, tuple[str, str]]:
    singular = {short: prefix + _METRIC[short[1:]] for short, prefix in _PREFIXES.items()}
    singular["kbps"] = singular["Kbps"] = "kilobit per second"
    singular |= _OTHERS
    for power, said, short in (("²", "square", "sq "), ("³", "cubic", "cu ")):
        digit = {"²": "2", "³": "3"}[power]
        for unit, one in _LENGTHS.items():
            marks = (unit + power, f"{unit}^{digit}", short + unit)
            singular |= dict.fromkeys(marks, f"{said} {one}")
            if unit != "in":
                singular[unit + digit] = f"{said} {one}"
    return {short: (one, _many(one)) for short, one in singular.items()}


UNITS = _units()
"""Written short form: (one, many)."""
_PAIRED = {
    "km": "h hr s",
    "mi": "h hr",
    "m": "s",
    "ft": "s",
    "MB": "s",
    "GB": "s",
    "Mb": "s",
    "Gb": "s",
    "kB": "s",
    "mg": "dL mL L kg",
    "mmol": "L",
    "mcg": "mL dL kg",
    "g": "dL L kg",
    "mL": "min hr kg",
}
RATES = {
    f"{unit}/{per}": f"{UNITS[unit][1]} per {UNITS[per][0]}"
    for unit, pers in _PAIRED.items()
    for per in pers.split()
}
"""Units with a slash, where they stand without a number: "in mg/dL"."""
PER = {
    "d": "day", "day": "day", "w": "week", "week": "week", "month": "month", "year": "year",
    "y": "year", "night": "night", "hour": "hour", "minute": "minute", "second": "second",
    "ea": "each", "each": "each", "pp": "person", "min": "minute", "user": "user",
    "person": "person", "mile": "mile", "m": "month",
}  # fmt: skip
"""After a slash, beside the units: "$5/day"; of money alone "m" is a month."""

# Words that may be between an article and an amount: "a one-time $35 fee".
ADJECTIVES = frozenset(
    """
    activation additional annual basic big booking cancellation cheap cleaning cover current
    daily delivery extra fifth first fixed flat fourth free full great heavy huge initial
    introductory large late long massive maximum mere minimum modest monthly new nice
    non-refundable normal old one-time original prepaid processing quarterly quick recurring
    refundable regular restocking second separate setup shipping short simple single small solid
    special standard steady strict third total typical usual weekly whole yearly
    """.split()
)
# An amount before one of these describes it, with or without an article: "$5 coupons".
MEASURED = frozenset(
    """
    account adjustment advance allowance angle appliance appointment bag balance banner bar battery
    beam bed boat canoe ceiling deck fence kayak rv sailboat shed tent trailer yacht
    bill bonus bottle box break breaker budget bulb cable call can cap car card cart cash-back
    charge charger chart check cheque circuit class co-pay coin commute connection container
    contract copay copayment cord coupon course credit cruise cup cut deal deductible delay
    deposit discount display distance dive donation door dose drive drop dumbbell engine
    extension fee file fine flight font fund fuse gap gift grant guarantee gust hike hose house
    incentive increase installment interval interview invoice item jackpot jar journey jug jump
    ladder laptop layover lead lease lens lesson limit line loan loss marathon mark meal meeting
    membership menu mirror model monitor mortgage note notice offer outage outlet pack package
    panel pass payment penalty period phone pill pipe pizza plan plate plug policy pool portion
    price prize profit project promo promotion purchase race radius raise rebate rent resistor
    reward ride ring road rod room rope round rug run salary sale savings screen screw sedan
    service session shift shower sign sofa speed square stamp stay steak stick strip
    subscription surcharge tab table tablet tablets tank tape target task term ticket timer tip
    toll tour transaction transfer trek trial trip truck turn tv tvs upgrade valuation van video
    voucher wait walk wall warranty weight window winds withdrawal zone
    """.split()
)
# An amount before one of these counts by itself: "$5 off", "the $50 you owe".
NOT_MEASURED = frozenset(
    """
    above across afterwards again ago ahead alone also altogether always am and annually another
    apart apiece appears applies apply arrives away back becomes been behind being below besides
    buy buys can't cannot cash cheaper clears come comes counts cover covers daily deep down
    drops due each earlier early east equals every exceeds expire expires extra faster fewer get
    gets go goes gross helps here high higher his hits hourly include includes instead into its
    lands last late later leaves left less long looks lower make makes max may mean means might
    minus monthly more must needs net next nightly north now of off old once online only onto or
    ours out over overall owed pays per perhaps plus posts remaining remains runs saves seems
    shall ships short shows slower sometimes south stands stays take takes tall theirs then there
    thick thus times to today together tomorrow tonight too tops towards twice under unless up
    upfront us weekly west what which who whom whose wide will works worth yearly yesterday
    yours
    """.split()
)

"""Written short forms and the words that they stand for: abbreviations, titles, states.

Only data, each short form in small letters and without its full stop. Knows nothing about the
patterns that use it.
"""

# Never words of their own, so the full stop may be missing. Also with a capital, all in capitals,
# and in the plural.
ANYWHERE = {
    "acct": "account", "acctg": "accounting", "addl": "additional", "addr": "address",
    "amt": "amount", "appt": "appointment", "apptmt": "appointment",
    "approx": "approximately", "asst": "assistant",
    "assn": "association", "attn": "attention", "atty": "attorney", "avg": "average",
    "bldg": "building",
    "blvd": "boulevard", "btw": "by the way", "cust": "customer", "dept": "department",
    "govt": "government", "hwy": "highway", "intl": "international", "maint": "maintenance",
    "mfg": "manufacturing", "mfr": "manufacturer", "mgmt": "management", "mgr": "manager",
    "mktg": "marketing", "msg": "message", "mtg": "meeting", "natl": "national",
    "pkg": "package", "pkwy": "parkway", "pls": "please", "plz": "please", "pmt": "payment",
    "ppl": "people", "pymt": "payment", "qtr": "quarter", "qty": "quantity", "rcpt": "receipt",
    "rcvd": "received", "recd": "received", "reqd": "required", "sched": "schedule",
    "svc": "service", "thru": "through", "thx": "thanks", "univ": "university",
    "whse": "warehouse", "vs": "versus", "aka": "also known as", "fyi": "for your information",
    "asap": "as soon as possible",
    "yrs": "years", "hrs": "hours", "mins": "minutes", "wks": "weeks",
}  # fmt: skip
# Only with the full stop, for most are of several meanings without it.
DOTTED = {
    "abbr": "abbreviated", "agcy": "agency", "appl": "application", "assoc": "association",
    "assocs": "associates", "auth": "authorization", "bal": "balance", "bros": "brothers",
    "cert": "certificate", "cf": "compare", "chg": "charge", "co": "company", "contd": "continued",
    "corp": "corporation", "cos": "companies", "ctr": "center", "dist": "district",
    "div": "division", "eds": "editors", "equip": "equipment", "esp": "especially",
    "esq": "esquire", "etc": "etcetera", "ext": "extension", "fwd": "forward",
    "hosp": "hospital", "inc": "incorporated", "inst": "institute",
    "inv": "invoice", "jct": "junction", "jr": "junior", "lic": "license", "ltd": "limited",
    "misc": "miscellaneous", "mtn": "mountain", "ofc": "office", "orig": "original",
    "poss": "possible", "pref": "preferred", "prelim": "preliminary", "prev": "previous",
    "prob": "probably", "refs": "references", "req": "required", "resp": "respectively",
    "secy": "secretary", "ser": "serial", "sq": "square", "sr": "senior", "std": "standard",
    "subj": "subject", "supv": "supervisor", "tel": "telephone", "treas": "treasurer",
    "hr": "hour", "mo": "month", "mos": "months", "wk": "week", "yr": "year", "viz": "namely",
    "eg": "for example", "ie": "that is", "ea": "each",
}  # fmt: skip
# Only before a small letter or a number: "the gen. store"; at the end they are words.
INSIDE = {
    "adj": "adjusted", "adv": "advanced", "alt": "alternate", "avail": "available",
    "cont": "continued", "dep": "deputy", "dir": "director", "exec": "executive",
    "gen": "general", "gov": "governor", "hon": "honorable", "info": "information",
    "ins": "insurance",
    "ref": "reference", "reg": "regular", "rep": "representative",
    "sen": "senator", "tech": "technical", "temp": "temperature",
    "trans": "transaction", "var": "various",
}  # fmt: skip
# What else stands for words, exactly as written; small letters also begin with a capital.
EXACT = {
    "e.g.": "for example", "i.e.": "that is",
    "et al.": "and others", "i.a.": "among others", "a.k.a.": "also known as",
    "a/k/a": "also known as", "d/b/a": "doing business as", "f/k/a": "formerly known as",
    "w.r.t.": "with respect to", "w/out": "without", "w/o": "without", "w/in": "within",
    "w/": "with ", "b/c": "because", "b/w": "between", "and/or": "and or", "s/he": "she or he",
    "add'l": "additional", "int'l": "international", "nat'l": "national", "gov't": "government",
    "dep't": "department", "ass'n": "association", "sec'y": "secretary",
    "req'd": "required", "rec'd": "received", "cont'd": "continued",
    "n/a": "not applicable", "N/A": "not applicable", "c/o": "care of", "C/O": "care of",
    "Ph.D.": "PhD", "Ph.D": "PhD", "N.B.": "note", "op. cit.": "in the work cited",
    "C#": "C sharp", "F#": "F sharp", "C++": "C plus plus", "g++": "g plus plus",
    ".NET": "dot net", "Node.js": "Node J S", "AT&T": "A.T. and T.",
    "gr8": "great", "l8r": "later", "m8": "mate", "w8": "wait", "h8": "hate", "b4": "before",
    "2day": "today", "2nite": "tonight", "2moro": "tomorrow", "2morrow": "tomorrow",
    "4ever": "forever", "any1": "anyone", "some1": "someone", "every1": "everyone",
    "str8": "straight",
}  # fmt: skip

# Before a name. The first ones are titles without a full stop, and before a small letter, too.
PLAIN_TITLES = {
    "dr": "doctor", "drs": "doctors", "mr": "mister", "mrs": "missus", "ms": "miz", "mx": "mix",
    "prof": "professor", "profs": "professors", "sgt": "sergeant", "lt": "lieutenant",
    "capt": "captain", "cpl": "corporal", "cmdr": "commander", "messrs": "messieurs",
}  # fmt: skip
TITLES = {
    **PLAIN_TITLES,
    "adm": "admiral", "amb": "ambassador", "asst": "assistant", "assoc": "associate",
    "atty": "attorney", "brig": "brigadier", "cdr": "commander", "col": "colonel",
    "cols": "colonels", "det": "detective", "ens": "ensign", "fr": "father", "ft": "fort",
    "gen": "general", "gens": "generals", "gov": "governor", "govs": "governors",
    "hon": "honorable", "insp": "inspector", "maj": "major", "mt": "mount", "mts": "mounts",
    "ofc": "officer", "pfc": "private first class", "pres": "president", "pt": "point",
    "pvt": "private", "rep": "representative", "reps": "representatives", "rev": "reverend",
    "sec": "secretary", "sen": "senator", "sens": "senators", "supt": "superintendent",
    "treas": "treasurer", "rt": "right",
    # Names in short, which go before a name, too.
    "benj": "Benjamin", "chas": "Charles", "edw": "Edward", "geo": "George", "jas": "James",
    "jos": "Joseph", "robt": "Robert", "saml": "Samuel", "thos": "Thomas", "wm": "William",
}  # fmt: skip
# Before a number. The second ones before a letter or a Roman numeral, too: "Apt. B", "Art. IV".
NUMBERED = {"no": "number", "nos": "numbers", "p": "page", "pp": "pages", "pg": "page",
            "pgs": "pages", "ph": "phone", "tel": "telephone", "ln": "line", "sta": "station",
            "opt": "option", "gr": "grade", "sz": "size"}  # fmt: skip
LETTERED = {
    "app": "appendix", "art": "article", "arts": "articles", "ch": "chapter", "chap": "chapter",
    "chs": "chapters", "chaps": "chapters", "cl": "clause", "col": "column", "eq": "equation",
    "eqs": "equations",
    "ex": "exhibit", "fig": "figure", "figs": "figures", "par": "paragraph", "para": "paragraph",
    "pt": "part", "sec": "section", "secs": "sections", "vol": "volume", "vols": "volumes",
    "ver": "version", "tbl": "table",
}  # fmt: skip

# With a full stop they are states wherever they stand,
STATES = {
    "ariz": "Arizona", "calif": "California", "colo": "Colorado", "conn": "Connecticut",
    "fla": "Florida", "kans": "Kansas", "mich": "Michigan", "minn": "Minnesota",
    "nebr": "Nebraska", "okla": "Oklahoma", "penn": "Pennsylvania", "penna": "Pennsylvania",
    "tenn": "Tennessee", "tex": "Texas", "wis": "Wisconsin", "wisc": "Wisconsin",
    "wyo": "Wyoming", "ont": "Ontario", "que": "Quebec", "alta": "Alberta",
    "sask": "Saskatchewan", "n.y": "New York", "n.j": "New Jersey", "n.c": "North Carolina",
    "s.c": "South Carolina", "n.d": "North Dakota", "s.d": "South Dakota", "n.h": "New Hampshire",
    "n.m": "New Mexico", "r.i": "Rhode Island", "w.va": "West Virginia", "n.s": "Nova Scotia",
    "n.b": "New Brunswick", "p.e.i": "Prince Edward Island",
}  # fmt: skip
# or only after a town: "Boston, Mass." (and before an avenue).
STATES_OF_TOWNS = {
    "ala": "Alabama", "ark": "Arkansas", "cal": "California", "co": "Colorado", "del": "Delaware",
    "ga": "Georgia", "ida": "Idaho", "ill": "Illinois", "ind": "Indiana", "kan": "Kansas",
    "ky": "Kentucky", "la": "Louisiana", "man": "Manitoba", "mass": "Massachusetts",
    "md": "Maryland", "me": "Maine", "miss": "Mississippi", "mo": "Missouri", "mont": "Montana",
    "neb": "Nebraska", "nev": "Nevada", "ore": "Oregon", "pa": "Pennsylvania", "va": "Virginia",
    "vt": "Vermont", "wash": "Washington", "b.c": "British Columbia",
}  # fmt: skip

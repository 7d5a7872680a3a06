"""Words that decide where a sentence ends: abbreviations, sentence starters, conjunctions.

Only data, all of it lower case and without the final full stop. Knows nothing about the rules
that use it.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

# Always followed by the rest of their phrase: a name, a number, an example.
NEVER_LAST = frozenset(
    """
    mr mrs ms mx messrs dr prof mt capt cmdr lt sgt cpl pvt supt det insp vs e.g i.e eg ie cf viz
    ca approx esp incl resp sra dra srta mme mlle bzw z.b d.h usw u.a p.ej s.v
    """.split()
)

# Abbreviations only before a number (or a letter used as one): otherwise ordinary words.
BEFORE_NUMBER = frozenset(
    """
    no nos nr fig figs eq eqs p pp vol vols ch chap sec art para pt ver v ex tab app rm ext tel jan
    feb mar apr jun jul aug sep sept oct nov dec
    """.split()
)

# May end a sentence: they do when the next word can only start one.
MAYBE_LAST = frozenset(
    """
    etc inc ltd co corp bros llc plc jr sr esq st ave blvd rd ln pl hwy dept dist univ assn est min
    max hr hrs sec secs mins oz lb lbs ft tbsp tsp sq cu gal mi km vs a.m p.m et al mon gen sen
    rep gov col maj adm rev hon fr pres
    tue tues wed weds thu thur thurs fri exp jan feb mar apr jun jul aug sep sept oct nov dec ph.d
    m.d
    b.a m.a m.sc b.sc j.d u.s u.s.a u.k u.n e.u d.c l.a n.y b.c a.d b.c.e c.e
    """.split()
)

# The same, with the capital of a name: "we sat. John left" are two sentences.
MAYBE_LAST_AS_NAMES = frozenset(("Sat", "Sun"))

# A capitalised one of these after a doubtful full stop starts a sentence: none is a name or the
# second half of one. ("Will", "May", "Mark" and so on are missing on purpose.)
STARTERS = frozenset(
    """
    the a an i i'm i've i'll i'd he he's he'll he'd she she's she'll she'd it it's it'll we we're
    we've we'll we'd you you're you've you'll they they're they've they'll this that that's these
    those there there's here here's my your his her its our their then when while where what what's
    who who's why how if but and or so yet because although though since after before however
    therefore meanwhile moreover furthermore otherwise instead also still once until in on at by
    for from with without about as to not no yes some many most all each every both only even just
    now today tomorrow yesterday do does did don't doesn't didn't is are was were isn't aren't
    wasn't has have had can could would should can't couldn't won't wouldn't let let's please
    thanks nobody everyone everybody someone something nothing maybe perhaps
    """.split()
)

# Begin a clause of their own.
SUBORDINATORS = frozenset(
    """
    because although though while when where which who whose whom whereas unless until since if
    whenever wherever whether but before after pero porque aunque mais parce aber weil dass denn
    sondern
    """.split()
)

# Begin a clause only when a subject follows: "and she left", but not "salt and pepper".
COORDINATORS = frozenset("and or so yet nor und oder".split())
SUBJECTS = frozenset(
    """
    i i'm i've i'll i'd you you're you'll he he's he'll she she's she'll it it's it'll we we're
    we've we'll they they're they'll this that these those there there's the a an my your his her
    its our their then if when what how why let let's please ich du er sie es wir
    """.split()
)

# The least bad places to breathe when there is no clause boundary at all.
PREPOSITIONS = frozenset(
    """
    in on at by for from with without about into onto over under between among through during
    against across along around behind beyond toward towards within upon of to that than as like
    and or so yet nor via per despite
    """.split()
)

# The first three letters of their names. A dash before one joins it to another.
DAYS_AND_MONTHS = frozenset(
    "mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec".split()
)

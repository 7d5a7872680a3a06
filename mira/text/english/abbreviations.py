"""Words that decide where a sentence ends: abbreviations, sentence starters, conjunctions.

Only data, all of it lower case and without the final full stop. Knows nothing about the rules
that use it.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

# Always followed by the rest of their phrase: a name, a number, an example.
NEVER_LAST = frozenset(
    """
    mr mrs ms mx messrs drs dr prof profs mt mts capt cmdr lt sgt cpl pvt supt det insp atty maj
    vs e.g i.e eg ie cf viz ca approx esp incl excl resp sra dra srta mme mlle bzw z.b d.h usw u.a
    p.ej s.v p.s p.p.s a.k.a n.b w.r.t attn
    """.split()
)

# Abbreviations only before a number (or a letter used as one): otherwise ordinary words.
BEFORE_NUMBER = frozenset(
    """
    no nos nr fig figs eq eqs p pp pg pgs vol vols ch chs chap chaps sec secs art arts para pt ver v
    ex tab app cl col rm fl ste apt bldg unit hwy rte lot ext tel fax ph jan feb mar apr jun jul aug
    sep sept oct nov dec rs ps cor gal thess tim pet isa jer matt phil eph heb prov deut rom exod
    sta opt gr sz arr dep
    """.split()
)

# What has a number: "acct. no.", "the order no. is".
NUMBERED_THINGS = frozenset(
    """
    account acct order serial ser model part policy phone telephone tel reference ref invoice inv id
    card case license lic claim flight confirmation conf tracking routing member customer ticket
    item lot batch suite room unit apt apartment permit badge docket receipt loan check booking
    reservation passport registration shipment cabin locker extension plate gate seat
    """.split()
)

# May end a sentence: they do when the next word can only start one. So may every short form that
# is no word (`shortforms`), and those without a vowel.
MAYBE_LAST = frozenset(
    """
    etc llc plc st ste ave blvd rd ln pl hwy rte fl apt bldg rm est exp min max hr hrs sec secs mins
    cty cnty oz lb lbs ft tbsp tsp sq cu gal mi km vs a.m p.m al mon gen sen rep gov col adm rev hon
    fr pres tue tues wed weds thu thur thurs fri jan feb mar apr jun jul aug sep sept oct nov
    dec ph.d m.d b.a m.a m.sc b.sc j.d u.s u.s.a u.k u.n e.u d.c l.a n.y b.c a.d b.c.e c.e
    """.split()
)

# The same, with the capital of a name: in small letters they are words.
MAYBE_LAST_AS_NAMES = frozenset(
    "Sat Sun Art Ala Ark Cal Del Ga Ida Ill Ind Kan La Man Mass Me Miss Mo Mont Neb Nev Ore Pa Va "
    "Wash".split()
)

# After a number they are measures, and what follows with a capital starts a sentence.
MEASURES = frozenset(
    """
    min mins hr hrs sec secs oz lb lbs ft in yd yds mi km kg g cm mm ml gal qt pt tbsp tsp yr yrs mo
    mos wk wks
    """.split()
)

# After "5 p.m." they belong to the time of day.
GOES_ON_AFTER_TIME = frozenset(
    """
    est edt et cst cdt ct mst mdt mt pst pdt pt akst hst gmt utc bst cet ist jst aest eastern
    central mountain pacific atlantic alaska hawaii standard daylight local monday tuesday
    wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun january
    february march april may june july august september october november december jan feb mar apr
    jun jul aug sep sept oct nov dec
    """.split()
)

# Words without a vowel that are no abbreviations.
MURMURED = frozenset("hm hmm mm mmm sh shh psst tsk brr grr pfft zzz nth".split())

# Names with an exclamation mark of their own.
EXCLAIMED = frozenset("yahoo jeopardy kahoot".split())

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
    thanks nobody everyone everybody someone something nothing anything maybe perhaps sorry hello
    hi ok okay sure great unfortunately thank call press go turn take send enter visit reply tell
    ask wait bring give check make keep try see look click say type dial pay stay select choose
    which any another if
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

"""What is spoken: the kind of thing that agents say."""

REPLIES = (
    "Hello there.",
    "How can I help you today?",
    "Sure, one moment please.",
    "Thanks for calling Northwind, my name is Clara.",
    "I have found your booking for the fourteenth of March.",
    "Your order left our warehouse this morning and should reach you tomorrow before noon.",
    "I'm sorry to hear that, let me see what I can do for you right away.",
    "The total comes to forty two dollars and fifty cents, including delivery.",
    "Could you please spell your last name for me?",
    "You can change the appointment online, or I can do it for you now if you tell me a day.",
    "Is there anything else that I can help you with before we finish?",
    "Please hold the line while I check that with a colleague.",
)


def sentences(count: int, first: int = 0) -> str:
    """`count` sentences, beginning with the one at `first`."""
    return " ".join(REPLIES[(first + i) % len(REPLIES)] for i in range(count))


def lasting(minutes: float) -> str:
    """About so many minutes of speech, at 17.4 characters a second."""
    paragraph = sentences(len(REPLIES))
    return "\n\n".join([paragraph] * max(round(minutes * 60 * 17.4 / len(paragraph)), 1))

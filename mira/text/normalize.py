"""A piece of written text in, the words to say out. (First version.)"""


def speakable(text: str) -> str:
    """The words to say."""
    text = " ".join(text.split())
    return text if any(map(str.isalnum, text)) else ""

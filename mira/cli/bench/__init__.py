"""`mira bench load`: any service with OpenAI's API, as callers find it."""

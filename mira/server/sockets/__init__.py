"""The WebSockets that agents speak: each protocol's own messages, over what all of them share."""

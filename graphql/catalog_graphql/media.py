"""The two media types of GraphQL over HTTP, and which of them an Accept header wants."""

JSON = "application/json"
RESPONSE = "application/graphql-response+json"


def preferred(accept: str) -> str:
    """The better liked one; without a word on either, `application/json` as older clients expect."""
    wanted = dict(_weighed(part) for part in accept.split(","))
    weights = {media: wanted.get(media, -1.0) for media in (RESPONSE, JSON)}
    best = max(weights, key=lambda media: weights[media])
    return best if weights[best] > 0 else JSON


def is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _weighed(part: str) -> tuple[str, float]:
    """(media type, quality) of one element of an Accept header (RFC 9110 section 12.5.1)."""
    media, *parameters = (each.strip().lower() for each in part.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return media, float(quality)
    except ValueError:
        return media, 0.0

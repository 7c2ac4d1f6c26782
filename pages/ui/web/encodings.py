"""How an answer may be packed on its way."""


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client wants gzip, after its header: "gzip, br;q=0.5" or "*", but not "gzip;q=0" (RFC 9110, 12.5.3)."""
    weights = {}
    for part in accept_encoding.lower().replace(" ", "").split(","):
        name, _, weight = part.partition(";q=")
        weights[name] = weight
    asked = weights.get("gzip", weights.get("x-gzip", weights.get("*", "0")))
    return asked.strip("0.") != "" or asked == ""

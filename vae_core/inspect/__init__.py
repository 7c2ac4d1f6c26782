"""A model looked at while it trains."""

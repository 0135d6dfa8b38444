"""From a company's database into the curated zone, without personal data."""

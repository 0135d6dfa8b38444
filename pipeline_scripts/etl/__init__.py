"""From a company's database to the curated zone: extract, pseudonymise, check, publish; on Spark 3.5."""

"""Glue Data Quality on this machine: the rules really are evaluated, by DuckDB."""

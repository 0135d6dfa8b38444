"""What stands in for the container of Data Wrangler: it runs the common operators of a flow on the same Spark."""

"""An embedded relational database: a source to extract from where no server is installed."""

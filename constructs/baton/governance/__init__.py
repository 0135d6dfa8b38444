"""Who may do what: personas, and the rule that one persona alone approves."""

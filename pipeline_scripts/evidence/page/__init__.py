"""The page that a version is decided on: one HTML file that needs nothing else, with plots as SVG."""

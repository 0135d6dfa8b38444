"""Monitoring: is the served version still the one that was approved, on data like that it learned from?"""

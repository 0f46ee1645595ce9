"""The curator: shows clips and records verdicts on them."""

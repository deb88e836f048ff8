"""What we conclude: pages rendered from stored runs, never edited and never trained for.

python -m reports                      # reports/README.md, reports/figures/, reports/site/index.html
"""

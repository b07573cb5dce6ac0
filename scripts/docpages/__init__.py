"""The pages that restate code, one module each; scripts/generated_docs.py writes them."""

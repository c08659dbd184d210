"""The published language as files: JSON Schemas, AsyncAPI, examples; and what keeps them true."""

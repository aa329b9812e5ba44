"""The pytest plugins: options and judging (claims), fixtures (torch_fixtures), tables (results)."""

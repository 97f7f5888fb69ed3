"""The instrument: typed cases, pure metrics, and runs through the front door. `rag eval` and `make eval` use it."""

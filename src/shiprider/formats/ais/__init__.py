"""AIS: ITU-R M.1371-5 messages in IEC 61162-1 sentences, driven by one table of fields."""

"""Wire formats: tables of fields, encoders and decoders. No I/O."""

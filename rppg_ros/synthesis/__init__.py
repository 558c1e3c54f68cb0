"""People whose pulse and breath are known because they are made up."""

"""What a measurement came to, for others: HL7 FHIR R4, and CSV. Nothing is written or sent unless it was asked for."""

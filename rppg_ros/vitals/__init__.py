"""Pulse and breath signal processing: training-free waveforms, filters, spectra, rates and their quality."""

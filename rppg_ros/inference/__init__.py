"""Networks at run time, through ONNX Runtime: engines and the model card."""

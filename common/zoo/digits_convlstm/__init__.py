"""The ConvLSTM that predicts Moving MNIST."""

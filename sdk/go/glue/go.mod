module andon

go 1.25

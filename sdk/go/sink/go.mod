module {{name}}

go 1.25

require andon v0.0.0

replace andon => ./andon

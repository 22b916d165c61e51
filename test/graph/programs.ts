/** A program that draws in every way, and two models. */
export const everyDraw = `model lm = "tiny"
model other = "tiny"
let a = lm("x")
let b = other("x")
sample t ~ a
observe t ~ b
observe t ~ b ^ 0.5
sample u ~ a * b where u != "x"
factor 0.5
sample k ~ a
factor k.length + 1
sample v ~ a via other
sample w ~ a
observe w ~ a.fork()
sample c ~ a for 3 tokens where not c.contains("z") twisted by 1 + c.length
sample d ~ a matching /[a-z]+/ for up to 4 tokens via other in blocks of 2
sample e ~ a until "." within 5 tokens via b resampling every 2 tokens
sample g ~ bernoulli(0.5) via bernoulli(0.3) where g
return [c, d, e]
`

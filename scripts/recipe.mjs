// Part of `npm run build`: reading the grammar's text takes a quarter of a second, reading ohm's own form of it six milliseconds.
import { readFileSync, writeFileSync } from 'node:fs'
import { grammar } from 'ohm-js'

const text = readFileSync(new URL('../grammar/smc.ohm', import.meta.url), 'utf8')
// The text goes along: ohm keeps only a part of it, and the recipe of an older grammar must not be used.
const recipe = JSON.parse(grammar(text).toRecipe())
writeFileSync(new URL('../dist/syntax/smc.recipe.json', import.meta.url), JSON.stringify({ text, recipe }))

// Part of `npm run build`: reading the grammar's text takes a quarter of a second, reading ohm's own form of it six milliseconds.
import { readFileSync, writeFileSync } from 'node:fs'
import { grammar } from 'ohm-js'

const text = readFileSync(new URL('../grammar/smc.ohm', import.meta.url), 'utf8')
writeFileSync(new URL('../dist/syntax/smc.recipe.json', import.meta.url), grammar(text).toRecipe())

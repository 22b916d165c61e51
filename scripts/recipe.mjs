// Part of `npm run build` (node scripts/recipe.mjs [COMPILED]): reading the grammar's text takes a quarter of a second, reading ohm's own form of it six milliseconds.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { grammar } from 'ohm-js'

const text = readFileSync(new URL('../grammar/smc.ohm', import.meta.url), 'utf8')
// The text goes along: ohm keeps only a part of it, and the recipe of an older grammar must not be used.
const recipe = JSON.parse(grammar(text).toRecipe())
writeFileSync(join(process.argv[2] ?? 'dist', 'syntax', 'smc.recipe.json'), JSON.stringify({ text, recipe }))

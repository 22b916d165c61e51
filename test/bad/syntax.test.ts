import { parse } from '../../src/syntax/parse.js'
import { testBadPrograms, thrown } from './run.js'

testBadPrograms('syntax', (source) => thrown(() => parse(source)))

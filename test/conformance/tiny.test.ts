import { describe } from 'vitest'
import { agreesWith } from './reference.js'

describe('tiny agrees with PyTorch', () => agreesWith('./reference-tiny.json', 'tiny'))

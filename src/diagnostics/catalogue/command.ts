import type { Entries } from './entry.js'

const coin = { 'coin.smc': 'param side: Int = 1\nsample x ~ uniform(1..6)\nrequire x > side\nreturn x\n' }
const story = { 'story.smc': 'param topic: String\nreturn topic\n' }

/** Codes X001 and on. `bad` and `mended` are command lines, run in a folder that holds `files`. */
export const commandEntries: Entries = {
  X001: {
    title: 'there is no such command',
    explanation: 'The first word after smcc names what to do: run, bound, check, graph, fmt, explain, models or report.',
    bad: 'smcc rnu coin.smc',
    mended: 'smcc run coin.smc',
    files: coin,
    stage: 'command',
  },
  X002: {
    title: 'there is no such flag',
    explanation: 'Flags are never guessed or ignored: a setting that was meant but misspelt would change the answer in silence.',
    bad: 'smcc run coin.smc --particels 100',
    mended: 'smcc run coin.smc --particles 100',
    files: coin,
    stage: 'command',
  },
  X003: {
    title: 'an argument is missing',
    explanation: 'The command needs a program, a folder or an id, or a flag stands without its value.',
    bad: 'smcc run',
    mended: 'smcc run coin.smc',
    files: coin,
    stage: 'command',
  },
  X004: {
    title: 'there are too many arguments',
    explanation:
      'The command takes fewer arguments. A value with spaces must be quoted for the shell, or its second word becomes an argument of its own.',
    bad: 'smcc run story.smc -D topic=a red ball',
    mended: 'smcc run story.smc -D topic="a red ball"',
    files: story,
    stage: 'command',
  },
  X005: {
    title: 'a number is out of range',
    explanation:
      'Particles and batch are whole numbers from 1 to 1000000, the seed is a whole number from 0, the threshold lies between 0 (never resample) and 1 (always), and the memory is above 0 GB.',
    bad: 'smcc run coin.smc --particles 0',
    mended: 'smcc run coin.smc --particles 64',
    files: coin,
    stage: 'command',
  },
  X006: {
    title: 'a flag has no such value',
    explanation: 'Some flags take one word of a short list; the message names the list.',
    bad: 'smcc run coin.smc --resample sistematic',
    mended: 'smcc run coin.smc --resample systematic',
    files: coin,
    stage: 'command',
  },
  X007: {
    title: 'a flag needs another one',
    explanation:
      'A flag says something about what another flag asks for, and that one is missing, or it asks for something else. The hint says what to add or to leave out.',
    bad: 'smcc run coin.smc --steps llamppl',
    mended: 'smcc run coin.smc --steps llamppl --out coin-run',
    files: coin,
    stage: 'command',
  },
  X008: {
    title: 'a flag needs name=value',
    explanation: 'The flags -D and --model take a name, an equals sign and a value, without spaces around the sign.',
    bad: 'smcc run coin.smc -D side',
    mended: 'smcc run coin.smc -D side=2',
    files: coin,
    stage: 'command',
  },
  X009: {
    title: 'the program has no such param',
    explanation: 'Values can be given only for names that the program declares with `param`.',
    bad: 'smcc run coin.smc -D sides=2',
    mended: 'smcc run coin.smc -D side=2',
    files: coin,
    stage: 'command',
  },
  X010: {
    title: 'the value does not fit the type of the param',
    explanation:
      'A String param takes the text after the equals sign as it is. Any other is read as JSON: numbers, true and false, lists in [ ], records in { }, texts inside them in double quotes.',
    bad: 'smcc run coin.smc -D side=two',
    mended: 'smcc run coin.smc -D side=2',
    files: coin,
    stage: 'command',
  },
  X011: {
    title: 'the file of params cannot be used',
    explanation: 'The file that --params names must exist and hold one JSON object, a field for each param.',
    bad: 'smcc run coin.smc --params list.json',
    mended: 'smcc run coin.smc --params sides.json',
    files: { ...coin, 'list.json': '[2]\n', 'sides.json': '{ "side": 2 }\n' },
    stage: 'command',
  },
  X012: {
    title: 'the program has no such model',
    explanation:
      'The flag --model replaces a model that the program declares; the name before the equals sign is the declared one.',
    bad: 'smcc run toss.smc --model ml=table:coin.json',
    mended: 'smcc run toss.smc --model lm=table:coin.json',
    files: {
      'toss.smc': 'model lm = "table:coin.json"\nlet toss = lm("")\nsample side ~ toss for 1 tokens\nreturn side\n',
      'coin.json':
        '{ "tokens": ["h", "t"], "order": 1, "end": null, "next": { "": [0.5, 0.5], "h": [0.5, 0.5], "t": [0.5, 0.5] } }\n',
    },
    stage: 'command',
  },
  X013: {
    title: 'the program cannot be read',
    explanation: 'There is no file at the path that the command line names, it is a folder, or it may not be read.',
    bad: 'smcc run cion.smc',
    mended: 'smcc run coin.smc',
    files: coin,
    stage: 'command',
  },
  X014: {
    title: 'the result cannot be written there',
    explanation:
      'Places for results are checked before the run begins, so that a long run is not lost at its end. If writing fails at the end all the same, the result is printed as JSON.',
    bad: 'smcc run coin.smc --report missing/coin.html',
    mended: 'smcc run coin.smc --report coin.html',
    files: coin,
    stage: 'command',
  },
  X015: {
    title: 'the folder for the results is in use',
    explanation:
      'The folder of --out must be new, empty, or hold an earlier run, or for `train` an earlier training, which is then replaced. A folder with anything else in it is left alone.',
    bad: 'smcc run coin.smc --out notes',
    mended: 'smcc run coin.smc --out coin-run',
    files: { ...coin, 'notes/monday.txt': 'buy a red ball\n' },
    stage: 'command',
  },
  X016: {
    title: 'there is no such diagnostic',
    explanation:
      'A code is a letter and three digits, as it stands in the message: S for syntax, C for names and types, M for models and files, R for runs, X for the command line.',
    bad: 'smcc explain X999',
    mended: 'smcc explain X005',
    stage: 'command',
  },
  X017: {
    title: 'the folder holds no run',
    explanation:
      'The command `smcc report` reads the folder that `smcc run --out` wrote: manifest.json, particles.jsonl and steps.jsonl.',
    bad: 'smcc report notes',
    mended: 'smcc report run',
    files: {
      'notes/monday.txt': 'buy a red ball\n',
      'run/manifest.json':
        '{ "schema": 1, "smcc": "0.1.0", "program": "coin.smc", "programHash": "0", "models": {}, "settings": { "particles": { "value": 1, "from": "flag" }, "method": { "value": "smc", "from": "default" } }, "partial": false, "logZ": 0, "ess": 1, "alive": 1, "resamples": 0, "posterior": [], "moments": [], "timing": { "seconds": 1, "tokens": 0, "tokensPerSecond": 0 }, "warnings": [], "files": {} }\n',
      'run/particles.jsonl': '{ "value": 4, "weight": 1, "logWeight": 0 }\n',
      'run/steps.jsonl': '',
    },
    stage: 'command',
  },
  X018: {
    title: 'a param has no value',
    explanation: 'A param without a default is an input that every run must be given, with -D or in the file of --params.',
    bad: 'smcc run story.smc',
    mended: 'smcc run story.smc -D topic=dragons',
    files: story,
    stage: 'command',
  },
  X019: {
    title: 'the same thing is given twice',
    explanation:
      'Two values for one name, or one file for two results: only one of them could be used, and the other would be lost in silence.',
    bad: 'smcc run coin.smc -D side=1 -D side=2',
    mended: 'smcc run coin.smc -D side=2',
    files: coin,
    stage: 'command',
  },
  X021: {
    title: 'a file of exact samples cannot be used',
    explanation:
      'After `--exact` stands a way to exact samples, `enumerate`, `reject` or `simulate`, or a file that `smcc bound --traces FILE` has written for this very program: one sample a line, and as many of them as there are repeats. `--positives` of `smcc train` takes such a file too.',
    bad: 'smcc bound coin.smc --exact enumerat',
    mended: 'smcc bound coin.smc --exact enumerate',
    files: coin,
    stage: 'command',
  },
  X024: {
    title: 'a flag that only a run reads',
    explanation:
      '`smcc check` runs nothing. Params, a seed and `--allow-extern` are for `smcc check --statistics`, which runs the program.',
    bad: 'smcc check coin.smc --seed 3',
    mended: 'smcc check coin.smc --statistics --seed 3',
    files: coin,
    stage: 'command',
  },
  X022: {
    title: 'a method has no upper bound',
    explanation:
      'An upper bound runs a sampler with one exact sample that is kept by every resampling. For `steer`, which resamples without replacement, no such run is known. `gibbs` is `smc` and then sweeps that keep a path: its log Z-hat is the one of `smc`.',
    bad: 'smcc bound coin.smc --method steer',
    mended: 'smcc bound coin.smc --method smc',
    files: coin,
    stage: 'command',
  },
  X023: {
    title: 'there is no training to go on with',
    explanation:
      '`--resume` goes on with the training that an earlier `smcc train --out DIR` has left in its folder: after every round it leaves the networks there, and what else it needs.',
    bad: 'smcc train coin.smc --resume',
    mended: 'smcc check coin.smc',
    files: coin,
    stage: 'command',
  },
}

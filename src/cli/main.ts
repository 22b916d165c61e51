#!/usr/bin/env node
import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError } from 'commander'
import { SmcError } from '../diagnostics/diagnostic.js'
import type { load } from '../index.js'
import type { BoundFlags } from './bound.js'
import { commandError, exitCodes } from './errors.js'
import { exitWhenWritten, type Io, processIo } from './io.js'
import type { RunFlags } from './run.js'

/** How a program is opened; tests may stand in for it. Loaded only when a command needs it, so that `--help` is quick. */
export type Open = typeof load
const library: Open = async (path) => (await import('../index.js')).load(path)

/**
 * The whole command: parses the arguments, runs one subcommand and returns the exit code of cli.md. Never throws.
 * @param argv the arguments after the name of the command
 */
export async function main(argv: readonly string[], io: Io, open: Open = library): Promise<number> {
  let code = exitCodes.done
  const program = commands(io, open, (result) => {
    code = result
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    const translated = error instanceof CommanderError ? await translate(error, program, argv) : error
    return typeof translated === 'number' ? translated : await fail(translated, argv.includes('--debug'), io)
  }
}

/** A command that takes flags in groups, each of which several commands have. */
class FlagCommand extends Command {
  override createCommand(name?: string): FlagCommand {
    return new FlagCommand(name)
  }

  with(flags: (command: Command) => void): this {
    flags(this)
    return this
  }
}

const collect = (value: string, list: readonly string[]) => [...list, value]

/** What a program is given. */
function given(command: Command): void {
  command
    .option('-D <name=value>', 'set a param; texts as they are, all else as JSON', collect, [])
    .option('--params <FILE>', 'set params from a JSON object; -D wins')
    .option('--model <name=ID>', 'replace a model of the program', collect, [])
}

function resampling(command: Command): void {
  command
    .option('--resample <SCHEME>', 'systematic, stratified, residual or multinomial (default: systematic)')
    .option('--threshold <X>', 'resample when ESS < X * particles; 0 never, 1 always (default: 0.5)')
}

function drawing(command: Command): void {
  command
    .option('--no-fuse', 'draw without looking at the weights that follow')
    .option('--no-twist', 'leave out all twists')
    .option('--batch <ROWS>', 'most rows of one model call')
}

/** What models run on, and in. */
function machine(command: Command): void {
  command
    .option('--max-memory <GB>', 'most memory that models may take, in GB (default: most of what is free)')
    .option('--device <NAME>', 'cpu, webgpu, cuda, or auto: the best that works (default: cpu)')
    .option('--backend <NAME>', 'onnx, or tfjs: TensorFlow.js, where it is installed (default: onnx)')
    .option('--dtype <NAME>', 'fp32, or int8: faster, with rounded weights (default: fp32)')
}

function commands(io: Io, open: Open, finish: (code: number) => void): Command {
  const program = new FlagCommand('smcc')
    .description('compile and run probabilistic programs that steer language models')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: () => {},
    })
    .addHelpText('after', '\nStart with: smcc run PROGRAM.smc')
  const command = (name: string, description: string) =>
    program.command(name).description(description).option('--debug', 'show the JavaScript stack of an error')

  command('run', 'draw weighted samples from a program')
    .argument('[PROGRAM]', 'the .smc file')
    .with(given)
    .option('--particles <N>', 'size of the population (default: 64)')
    .option('--seed <S>', 'whole number that fixes all random choices (default: random, printed)')
    .option('--method <NAME>', 'smc, importance, steer or gibbs (default: smc)')
    .with(resampling)
    .option('--expansion <K>', 'steer: copies of each unfinished particle between two points (default: 3)')
    .option('--sweeps <K>', 'gibbs: populations that keep a path of the one before (default: 10)')
    .with(drawing)
    .with(machine)
    .option('--json [FILE]', 'print the result as JSON, or write it to a file, and leave the page out')
    .option('--report <FILE.html>', 'write an HTML page')
    .option('--out <DIR>', 'write manifest, particles, steps and HTML page into a folder')
    .option('--steps <FORMAT>', 'with --out: llamppl adds the steps as LLaMPPL writes them, for its viewer')
    .option('--allow-extern', 'let the program call its JavaScript functions')
    .option('--quiet', 'no progress line')
    .action(async (path: string | undefined, flags: RunFlags) =>
      finish(await (await import('./run.js')).run(path, flags, io, open)),
    )
  command('bound', 'bound log Z from both sides, and how far the sampler is from its target')
    .argument('<PROGRAM>', 'the .smc file')
    .with(given)
    .option('--particles <N,N,...>', 'sizes of the population (default: 4,16,64)')
    .option('--repeats <R>', 'independent runs for each bound (default: 20)')
    .option('--exact <WAY>', 'exact samples by enumerate, reject or simulate, or from a file (default: the first that applies)')
    .option('--traces <FILE>', 'write the exact samples that were used, for --exact')
    .option('--seed <S>', 'whole number that fixes all random choices (default: random, printed)')
    .option('--method <NAME>', 'smc or importance (default: smc, with importance beside it)')
    .with(resampling)
    .with(drawing)
    .with(machine)
    .option('--json [FILE]', 'print the bounds as JSON, or write them to a file, and leave the page out')
    .option('--report <FILE.html>', 'write an HTML page')
    .option('--allow-extern', 'let the program call its JavaScript functions')
    .option('--quiet', 'no progress line')
    .action(async (path: string, flags: BoundFlags) => finish(await (await import('./bound.js')).bound(path, flags, io, open)))
  command('check', 'find mistakes in a program without running it')
    .argument('<PROGRAM>', 'the .smc file')
    .option('--format <NAME>', 'human, short or json', 'human')
    .option('--statistics', 'try the laws of the language on it, with small tables in the place of its models')
    .option('-D <name=value>', '--statistics: set a param; texts as they are, all else as JSON', collect, [])
    .option('--params <FILE>', '--statistics: set params from a JSON object; -D wins')
    .option('--model <name=ID>', '--statistics: a small model of your own in the place of a table', collect, [])
    .option('--seed <S>', '--statistics: whole number that fixes tables and random choices (default: 1)')
    .option('--allow-extern', '--statistics: let the program call its JavaScript functions')
    .option('--quiet', 'no progress line')
    .action(async (path, flags) => finish(await (await import('./check.js')).check(path, flags, io, open)))
  command('graph', 'print the inference graph of a program')
    .argument('<PROGRAM>', 'the .smc file')
    .option('--stage <NAME>', 'after which stage of the compiler (default: the last)')
    .option('--format <NAME>', 'text, mermaid, dot or json', 'text')
    .action(async (path, flags) => finish(await (await import('./graph.js')).graph(path, flags, io, open)))
  command('train', 'fit the learned twists of a program, and write them beside it')
    .argument('<PROGRAM>', 'the .smc file')
    .with(given)
    .option('--loss <NAME>', 'ctl, rl, pcl, sixo, fudge or dpg (default: ctl)')
    .option('--steps <N>', 'steps of the optimiser in all (default: 400)')
    .option('--batch <N>', 'particles of each population that is learned from (default: 64)')
    .option('--positives <WAY>', 'samples of the target: smc, exact, or a file of exact samples (default: smc)')
    .option('--iterate <N>', 'rounds of sample, weigh, fit (default: 8)')
    .option('--seed <S>', 'whole number that fixes all random choices (default: random, printed)')
    .option('--out <DIR>', 'keep the history, a plot, and what --resume goes on from')
    .option('--value-head', 'with --loss dpg: a scalar head, so that what proposes weighs too')
    .option('--resume', 'go on with the training in the folder of --out')
    .with(machine)
    .option('--allow-extern', 'let the program call its JavaScript functions')
    .option('--quiet', 'no progress line')
    .action(async (path, flags) => finish(await (await import('./train.js')).train(path, flags, io, open)))
  command('fmt', 'format programs in place')
    .argument('<PROGRAM...>', 'the .smc files; - reads standard input')
    .option('--check', 'write nothing, name the files that would change')
    .action(async (paths, flags) => finish(await (await import('./fmt.js')).fmt(paths, flags, io)))
  command('explain', 'explain a diagnostic, with a bad and a mended example')
    .argument('[CODE]', 'for example X005; all codes when left out')
    .action(async (code) => finish(await (await import('./explain.js')).explain(code, io)))
  command('models', 'list the built-in models, or show one')
    .argument('[ACTION]', 'list, show or pull', 'list')
    .argument('[ID]', 'the model to show')
    .action(async (action, id) => finish(await (await import('./models.js')).models(action, id, io)))
  command('report', 'build the HTML page of an earlier run again')
    .argument('<DIR>', 'the folder that `run --out` wrote')
    .action(async (folder) => finish(await (await import('./report.js')).report(folder, io)))
  return program
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

/** Commander's own errors in our words, or the exit code where help or the version was all that was asked for. */
async function translate(error: CommanderError, program: Command, argv: readonly string[]): Promise<SmcError | number> {
  const { didYouMean } = await import('./flags.js')
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const command = program.commands.find((candidate) => candidate.name() === argv.find((word) => !word.startsWith('-')))
  const named = command ? `\`smcc ${command.name()}\`` : '`smcc`'
  const help = command ? `\`smcc ${command.name()} --help\`` : '`smcc --help`'
  switch (error.code) {
    case 'commander.helpDisplayed':
    case 'commander.version':
      return exitCodes.done
    case 'commander.help':
      return exitCodes.command
    case 'commander.unknownCommand': {
      const names = program.commands.map((candidate) => candidate.name())
      const hint = quoted.endsWith('.smc') ? `write \`smcc run ${quoted}\`` : didYouMean(quoted, names)
      return commandError('X001', `there is no command \`${quoted}\``, hint ?? '`smcc --help` lists the commands')
    }
    case 'commander.unknownOption': {
      const flag = quoted.replace(/=.*$/s, '')
      const flags = (command ?? program).options.flatMap((option) => option.long ?? [])
      return commandError(
        'X002',
        `${named} has no flag \`${flag}\``,
        (flag.startsWith('--') ? didYouMean(flag, flags) : undefined) ?? `${help} lists its flags`,
      )
    }
    case 'commander.missingArgument':
      return commandError('X003', `expected ${quoted} after ${named}`, `${help} shows how it is written`)
    case 'commander.optionMissingArgument':
      return commandError('X003', `expected a value after \`${quoted.split(/[ ,]/)[0]}\``, `write \`${quoted}\``)
    case 'commander.excessArguments':
      return commandError(
        'X004',
        `${named} has more arguments than it takes`,
        `${help} shows how it is written; quote values with spaces`,
      )
    default:
      return commandError('X002', error.message.replace(/^error: /, ''))
  }
}

async function fail(error: unknown, debug: boolean, io: Io): Promise<number> {
  const stack = debug && error instanceof Error ? `${error.stack}\n` : ''
  if (error instanceof SmcError) {
    const { showDiagnostics } = await import('./show.js')
    showDiagnostics(error.diagnostics, io)
    io.stderr.write(stack)
    return exitCodes[error.blame]
  }
  const message = error instanceof Error ? error.message : String(error)
  const next = debug
    ? 'please report it with this output and the program'
    : '`--debug` shows where; please report it with the program'
  io.stderr.write(`internal error: ${message}\nThis is a mistake in smcc, not in your program: ${next}.\n${stack}`)
  return exitCodes.internal
}

/** True when Node was started with this file, also through the link that npm makes in node_modules/.bin. */
function isEntryPoint(): boolean {
  const started = process.argv[1]
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)
}

if (isEntryPoint()) exitWhenWritten(await main(process.argv.slice(2), processIo()))

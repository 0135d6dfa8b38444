// Reads a JSON list of requests on stdin and prints IAM's answer to each, as a JSON list.
import { runSimulation } from '@cloud-copilot/iam-simulate'

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const answers = []
for (const simulation of JSON.parse(Buffer.concat(chunks).toString('utf8'))) {
  const found = await runSimulation(simulation, {})
  answers.push(found.resultType === 'error' ? `error: ${JSON.stringify(found.errors)}` : found.overallResult)
}
process.stdout.write(JSON.stringify(answers))

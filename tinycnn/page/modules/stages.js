// The stages of an example in order, and the way that each belongs to.

/** All stages of an example, each with the heading of its way. */
export function stagesOf(example) {
  return example.ways.flatMap((way) => way.stages.map((stage) => ({ heading: way.heading, stage })));
}

/** Which stage of example `name` is the first that calls `op`. */
export function stageOf(data, name, op) {
  const found = stagesOf(exampleOf(data, name)).findIndex(({ stage }) => stage.op === op);
  return Math.max(found, 0);
}

export const exampleOf = (data, name) => data.examples.find((one) => one.name === name) ?? data.examples[0];

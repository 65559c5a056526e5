import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { generatedFiles } from "./generatedTypes.js";

// Run in the project's root after schema.json changed: npx tsx provider/contract/generate.ts
for (const { path, text } of generatedFiles()) writeFileSync(resolve(path), text);

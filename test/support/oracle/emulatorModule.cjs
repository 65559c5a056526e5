// What GODWIT_ORACLE_DRIVER names in tests: the emulator's driver for a worker, which runs on plain node.
const { join } = require("node:path");

require("tsx/cjs/api").register();
module.exports = { oracleDriver: require(join(__dirname, "emulatorDriver.ts")).oracleDriver };

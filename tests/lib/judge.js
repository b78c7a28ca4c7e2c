'use strict';

/*
 * Judges JSON documents by a JSON Schema (draft 2020-12), which has to pass
 * the strict mode of ajv.
 *
 *   node judge.js schema.json
 *
 * The first line of the output is "[]".  Then each line of the input is a
 * document, and the answer to it is one line of JSON, all that is wrong:
 *
 *   [{"at": "/sources/0", "what": "must NOT have ...", "key": "name"}, ...]
 *
 * key is there when the object at that place has a key too many.  Ends when
 * stdin closes.
 */

const fs = require('fs');
const readline = require('readline');
const Ajv = require('ajv/dist/2020');

const schema = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const ajv = new Ajv({ strict: true, allErrors: true });
const judge = ajv.compile(schema);

function mistake(error) {
    return {
        at: error.instancePath,
        what: error.message,
        key: error.params.additionalProperty,
    };
}

console.log('[]');
readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const good = judge(JSON.parse(line));

    console.log(JSON.stringify(good ? [] : judge.errors.map(mistake)));
});

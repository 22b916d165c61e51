/** Functions for programs of the tests; each is called once for a batch. */
export const fine = (texts) => texts.map((text) => !/ba|cc$/.test(text))
export const grade = (texts) => texts.map((text) => 0.3 + text.length)

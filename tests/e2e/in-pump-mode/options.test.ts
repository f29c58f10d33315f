process.env['TSCC_TEST_MODE'] = 'pump';
await import('../options.test.js');

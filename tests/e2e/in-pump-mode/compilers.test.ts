process.env['TSCC_TEST_MODE'] = 'pump';
await import('../compilers.test.js');

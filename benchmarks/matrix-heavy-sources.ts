/** Small programs that instantiate much of Boost and Eigen. Sources by name. */

export const BOOST_SOURCES: Readonly<Record<string, string>> = {
  'mpl.cc': `#include <boost/mpl/vector.hpp>
#include <boost/mpl/transform.hpp>
#include <boost/mpl/size.hpp>
#include <boost/mpl/for_each.hpp>
#include <iostream>
namespace mpl = boost::mpl;
typedef mpl::transform<mpl::vector<int, char, double>, std::add_pointer<mpl::_1>>::type pointers;
struct Print { template <class T> void operator()(T) { std::cout << sizeof(T); } };
void f() { mpl::for_each<pointers>(Print()); }
`,
  'function.cc': `#include <boost/function.hpp>
#include <boost/bind/bind.hpp>
#include <vector>
using namespace boost::placeholders;
static int add(int a, int b) { return a + b; }
boost::function<int(int)> adder(int n) { return boost::bind(add, n, _1); }
int all(const std::vector<int> &v) { int s = 0; for (int x : v) s += adder(x)(s); return s; }
`,
  'variant.cc': `#include <boost/variant.hpp>
#include <string>
typedef boost::make_recursive_variant<int, std::string, std::vector<boost::recursive_variant_>>::type Value;
struct Size : boost::static_visitor<int> {
  int operator()(int) const { return 1; }
  int operator()(const std::string &s) const { return int(s.size()); }
  int operator()(const std::vector<Value> &v) const {
    int n = 0; for (const Value &x : v) n += boost::apply_visitor(*this, x); return n;
  }
};
int size(const Value &v) { return boost::apply_visitor(Size(), v); }
`,
  'fusion.cc': `#include <boost/fusion/include/vector.hpp>
#include <boost/fusion/include/for_each.hpp>
#include <boost/fusion/include/adapt_struct.hpp>
#include <iostream>
struct Point { int x; double y; };
BOOST_FUSION_ADAPT_STRUCT(Point, x, y)
void print(const Point &p) { boost::fusion::for_each(p, [](auto &&m) { std::cout << m << ' '; }); }
`,
  'spirit.cc': `#include <boost/spirit/include/qi.hpp>
#include <boost/spirit/include/phoenix.hpp>
#include <string>
namespace qi = boost::spirit::qi;
struct Calculator : qi::grammar<std::string::const_iterator, int(), qi::space_type> {
  Calculator() : Calculator::base_type(sum) {
    sum = term[qi::_val = qi::_1] >> *(('+' >> term[qi::_val += qi::_1]) | ('-' >> term[qi::_val -= qi::_1]));
    term = qi::int_ | ('(' >> sum >> ')');
  }
  qi::rule<std::string::const_iterator, int(), qi::space_type> sum, term;
};
bool parse(const std::string &s, int &n) {
  auto at = s.begin();
  return qi::phrase_parse(at, s.end(), Calculator(), qi::space, n) && at == s.end();
}
`,
  'asio.cc': `#include <boost/asio.hpp>
#include <memory>
using boost::asio::ip::tcp;
struct Session : std::enable_shared_from_this<Session> {
  explicit Session(tcp::socket s) : socket(std::move(s)) {}
  void read() {
    auto self = shared_from_this();
    socket.async_read_some(boost::asio::buffer(data), [self](boost::system::error_code e, std::size_t n) {
      if (!e) boost::asio::async_write(self->socket, boost::asio::buffer(self->data, n),
        [self](boost::system::error_code failed, std::size_t) { if (!failed) self->read(); });
    });
  }
  tcp::socket socket;
  char data[1024];
};
void serve(boost::asio::io_context &io) { std::make_shared<Session>(tcp::socket(io))->read(); io.run(); }
`,
  'multi-index.cc': `#include <boost/multi_index_container.hpp>
#include <boost/multi_index/member.hpp>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <string>
namespace mi = boost::multi_index;
struct Person { std::string name; int age; };
typedef mi::multi_index_container<Person, mi::indexed_by<
  mi::hashed_unique<mi::member<Person, std::string, &Person::name>>,
  mi::ordered_non_unique<mi::member<Person, int, &Person::age>>>> People;
int oldest(People &p) { p.insert({"a", 3}); return p.get<1>().rbegin()->age; }
`,
  'property-tree.cc': `#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <sstream>
int read(const std::string &text) {
  boost::property_tree::ptree tree;
  std::istringstream in(text);
  boost::property_tree::read_json(in, tree);
  return tree.get("a.b", 0);
}
`,
  'graph.cc': `#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
typedef boost::adjacency_list<boost::listS, boost::vecS, boost::directedS, boost::no_property,
  boost::property<boost::edge_weight_t, int>> Graph;
int distance(const Graph &g, int from, int to) {
  std::vector<int> d(boost::num_vertices(g));
  boost::dijkstra_shortest_paths(g, boost::vertex(from, g), boost::distance_map(&d[0]));
  return d[to];
}
`,
  'preprocessor.cc': `#include <boost/preprocessor.hpp>
#define FIELD(z, n, text) text BOOST_PP_CAT(field, n) = n;
struct Many { BOOST_PP_REPEAT(200, FIELD, int) };
#define BOOST_PP_LOCAL_MACRO(n) int BOOST_PP_CAT(f, n)(Many &m) { return m.field##n + __LINE__; }
#define BOOST_PP_LOCAL_LIMITS (0, 99)
#include BOOST_PP_LOCAL_ITERATE()
`,
  'iteration.cc': `#ifndef BOOST_PP_IS_ITERATING
#include <boost/preprocessor/iteration/iterate.hpp>
#include <boost/preprocessor/repetition/enum_params.hpp>
#include <boost/preprocessor/repetition/enum_binary_params.hpp>
template <int> struct Tuple;
#define BOOST_PP_ITERATION_PARAMS_1 (3, (1, 20, "iteration.cc"))
#include BOOST_PP_ITERATE()
int count() { return sizeof(Tuple<20>); }
#else
#define N BOOST_PP_ITERATION()
template <> struct Tuple<N> { char size[N]; template <BOOST_PP_ENUM_PARAMS(N, class T)> void set(BOOST_PP_ENUM_BINARY_PARAMS(N, T, v)); };
#undef N
#endif
`,
  'lexical-cast.cc': `#include <boost/lexical_cast.hpp>
#include <boost/algorithm/string.hpp>
#include <boost/format.hpp>
#include <boost/optional.hpp>
#include <vector>
boost::optional<int> number(const std::string &s) {
  std::vector<std::string> parts;
  boost::split(parts, s, boost::is_any_of(",;"));
  for (auto &p : parts) { boost::trim(p); if (!p.empty()) return boost::lexical_cast<int>(p); }
  throw std::runtime_error((boost::format("no number in %1% (%2%)") % s % __FILE__).str());
}
`,
};

export const EIGEN_SOURCES: Readonly<Record<string, string>> = {
  'dense.cc': `#include <Eigen/Dense>
Eigen::VectorXd solve(const Eigen::MatrixXd &a, const Eigen::VectorXd &b) {
  return a.colPivHouseholderQr().solve(b) + a.fullPivLu().solve(b) + a.llt().solve(b);
}
`,
  'svd.cc': `#include <Eigen/SVD>
Eigen::MatrixXf pseudoInverse(const Eigen::MatrixXf &a) {
  Eigen::JacobiSVD<Eigen::MatrixXf> svd(a, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return svd.matrixV() * svd.singularValues().cwiseInverse().asDiagonal() * svd.matrixU().transpose();
}
`,
  'sparse.cc': `#include <Eigen/Sparse>
#include <vector>
Eigen::VectorXd solve(int n, const std::vector<Eigen::Triplet<double>> &t, const Eigen::VectorXd &b) {
  Eigen::SparseMatrix<double> a(n, n);
  a.setFromTriplets(t.begin(), t.end());
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> direct(a);
  Eigen::ConjugateGradient<Eigen::SparseMatrix<double>> iterative(a);
  return direct.solve(b) - iterative.solve(b);
}
`,
  'geometry.cc': `#include <Eigen/Geometry>
Eigen::Affine3d move(double angle, const Eigen::Vector3d &by) {
  return Eigen::Translation3d(by) * Eigen::AngleAxisd(angle, Eigen::Vector3d::UnitZ()) * Eigen::Quaterniond::Identity();
}
`,
  'eigenvalues.cc': `#include <Eigen/Eigenvalues>
Eigen::VectorXcd values(const Eigen::MatrixXd &a) { return Eigen::EigenSolver<Eigen::MatrixXd>(a).eigenvalues(); }
Eigen::VectorXd real(const Eigen::MatrixXd &a) { return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a).eigenvalues(); }
`,
  'tensor.cc': `#include <unsupported/Eigen/CXX11/Tensor>
Eigen::Tensor<float, 2> contract(const Eigen::Tensor<float, 3> &a, const Eigen::Tensor<float, 3> &b) {
  Eigen::array<Eigen::IndexPair<int>, 2> over = {Eigen::IndexPair<int>(1, 1), Eigen::IndexPair<int>(2, 2)};
  return a.contract(b, over);
}
`,
};

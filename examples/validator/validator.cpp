#include "validator.hpp"

#include <member/prepare.hpp>
#include <trainer/checkpoint.hpp>
#include <trainer/problem.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <fstream>
#include <utility>

namespace papilio::example {

namespace {

/// The host at work on the network's thread. It is dropped there when this dies: what goes wrong
/// here must not leave it running while what it uses goes.
struct hosted_run {
    hosted_run(network& on, task<> work) : end(on.start(std::move(work), drop.get_token())) {}
    hosted_run(const hosted_run&) = delete;
    hosted_run& operator=(const hosted_run&) = delete;
    ~hosted_run()
    {
        drop.request_stop();
        if (end.valid()) end.wait();
    }

    bool over() const { return end.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

    std::stop_source drop;
    std::future<void> end;
};

duration seconds_long(double s)
{
    return std::chrono::milliseconds(static_cast<std::int64_t>(s * 1000));
}

/// A file that others see whole or not at all.
void write_whole(const std::filesystem::path& path, const std::string& content)
{
    const auto hidden = path.parent_path() / ("." + path.filename().string());
    errno = 0;
    std::ofstream file(hidden);
    file << content;
    file.close();
    if (!file) throw_system_problem(errno, "cannot write " + path.string());
    std::filesystem::rename(hidden, path);
}

}  // namespace

validator::validator(const validator_options& o)
    : options_(prepared(o)), trainer_(trainer_part(o)), scores_(o.scores)
{
    load();
    open();
}

validator::~validator()
{
    network_.call([this] { host_.reset(); });
}

void validator::load()
{
    if (!options_.resume || !has_checkpoint(options_.checkpoint)) {
        state_ = first_state(trainer_.parameters());
        digest_ = digest(*state_);
        return;
    }
    auto outer = trainer_.resume(options_.checkpoint);
    if (outer.momentum.size() != trainer_.size())
        throw problem(errc::mismatch, "the checkpoint in " + options_.checkpoint.string() +
                                          " holds no outer optimiser: it is not a validator's");
    auto s = std::make_shared<state_snapshot>();
    s->round = static_cast<std::uint32_t>(outer.round);
    s->spans.emplace_back(trainer_.parameters().begin(), trainer_.parameters().end());
    s->spans.push_back(std::move(outer.momentum));
    state_ = std::move(s);
    digest_ = digest(*state_);
}

host_options validator::hosting() const
{
    host_options h;
    h.listen = parse_endpoint(options_.listen);
    h.mesh.listen = parse_endpoint(options_.mesh);
    h.mesh.run = options_.run.name;
    h.mesh.congestion = options_.run.congestion;
    h.run.name = options_.run.name;
    h.run.parameters = trainer_.size();
    h.run.configuration = configuration(options_.run);
    h.run.round = state_->round;
    if (state_->round > 0) h.run.digest = digest_;
    h.rendezvous.groups.min_group = options_.min_group;
    h.rendezvous.groups.max_group = options_.max_group;
    h.rendezvous.groups.group_wait = seconds_long(options_.patience);
    h.rendezvous.groups.round_timeout = seconds_long(options_.round_timeout);
    h.codec = options_.run.codec;
    h.outer = options_.run.outer;
    h.rounds = options_.rounds;
    h.probe_bytes = static_cast<std::size_t>(options_.probe_mib * 1024 * 1024);
    return h;
}

void validator::open()
{
    network_.call([this] {
        // Only the newest state is evaluated where rounds come faster than that.
        const auto forget = [](observation& older) { older.state.reset(); };
        const auto tell = [this, forget](observation o) { seen_.put(std::move(o), forget); };
        const auto note = [this](std::string line) {
            notes_.put(std::move(line), [](std::string&) {});
        };
        host_ = std::make_unique<host>(network_.loop(), hosting(), state_, digest_, tell, note);
        address_ = host_->address();
        mesh_address_ = host_->mesh_address();
    });
}

double validator::evaluate(const state_snapshot& s)
{
    trainer_.set_parameters(weights(s));
    return trainer_.evaluate(options_.evaluate);
}

bool validator::run(std::stop_token stop)
{
    screen_.note(fmt::format("{}: {}, {} parameters, on {}", options_.run.model,
                             describe(trainer_.options().model), trainer_.size(),
                             trainer_.model().where()));
    entropy_ = trainer_.held_out_entropy();
    held_out_loss_ = evaluate(*state_);
    so_far_.emplace(held_out_loss_, entropy_);
    invite();
    begun_ = clock::now();

    hosted_run hosted(network_, host_->run());
    const std::stop_callback at_end(stop, [this] { network_.call([this] { host_->end(); }); });
    while (!hosted.over()) {
        const auto next = seen_.take(std::chrono::milliseconds(500));
        show_notes();
        if (next) take_in(*next);
        if (next || screen_.lively()) show();
    }
    hosted.end.get();
    show_notes();
    for (auto next = seen_.take(clock::duration{}); next; next = seen_.take(clock::duration{}))
        take_in(*next);
    return conclude();
}

/// Tells people and scripts where miners join.
void validator::invite()
{
    const bool anywhere = listens_anywhere(address_.host);
    const std::string port = std::to_string(address_.port);
    const std::string local = anywhere ? "127.0.0.1:" + port : tcp::to_string(address_);
    if (!options_.address_file.empty()) write_whole(options_.address_file, local + "\n");
    screen_.note(fmt::format("miners join with --rendezvous {} --run {}",
                             anywhere ? "HOST:" + port : local, options_.run.name));
    if (anywhere || listens_anywhere(mesh_address_.host))
        screen_.note(
            fmt::format("where HOST is this machine as they see it, and ports {} and {} "
                        "are open to them",
                        address_.port, mesh_address_.port));
    screen_.note(fmt::format("a round takes at least {} of them", options_.min_group));
}

void validator::show_notes()
{
    for (auto line = notes_.take(clock::duration{}); line; line = notes_.take(clock::duration{}))
        screen_.note(*line);
}

/// A round is over: evaluates what it led to, and writes down what is to be said of everybody.
void validator::take_in(const observation& o)
{
    std::optional<double> loss;
    if (o.state) {
        loss = held_out_loss_ = evaluate(*o.state);
        state_ = o.state;
        digest_ = o.digest;
        so_far_->note_loss(*loss);
    }
    const auto verdicts = judge(o, options_.demands, options_.run.codec, trainer_.size());
    so_far_->add(o, verdicts);
    for (const verdict& v : verdicts) scores_.write(to_json(v, o, loss));
    if (!o.what.ok)
        screen_.note(fmt::format("round {} failed{}", o.what.group.round + 1,
                                 o.why.empty() ? "" : ": " + o.why));
    if (o.state && !options_.checkpoint.empty())
        trainer_.save(options_.checkpoint, {state_->round, weights(*state_), momentum(*state_)});
}

double validator::seconds() const
{
    return std::chrono::duration<double>(clock::now() - begun_).count();
}

void validator::show()
{
    const overview now = network_.call([this] { return host_->look(); });
    headline h{held_out_loss_, entropy_, seconds(), -1};
    if (options_.minutes > 0) h.seconds_left = std::max(0.0, options_.minutes * 60 - h.seconds);
    if (options_.rounds > 0 && so_far_->rounds() > 0 && options_.rounds > now.round)
        h.seconds_left = h.seconds / so_far_->rounds() * (options_.rounds - now.round);
    screen_.show(now, *so_far_, h);
}

bool validator::conclude()
{
    screen_.note("");
    so_far_->note_departures(network_.call([this] { return host_->look(); }));
    const double all = seconds();
    std::fputs(so_far_->text(all).c_str(), stdout);
    const auto shortcomings = so_far_->shortcomings();
    if (options_.check)
        for (const auto& s : shortcomings)
            std::fputs(("not as it should be: " + s + "\n").c_str(), stdout);
    std::fflush(stdout);
    if (!options_.summary.empty())
        write_whole(options_.summary, as_text(so_far_->to_json(all), 2) + "\n");
    return !options_.check || shortcomings.empty();
}

}  // namespace papilio::example

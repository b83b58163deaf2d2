begin read only;
set local role funes_admin;
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  1::bigint::text,
  hit.distance,
  "tool_embeddings"."id",
  "tool_embeddings"."tool_name",
  "tool_embeddings"."tool_description",
  "tool_embeddings"."tool_parameters",
  "tool_embeddings"."embedding_model",
  "tool_embeddings"."embedding_source",
  "tool_embeddings"."embedding_error",
  "tool_embeddings"."usage_count",
  "tool_embeddings"."last_used",
  "tool_embeddings"."created_at",
  "tool_embeddings"."updated_at",
  case
    when "tool_embeddings"."embedding_error" is not null then 'FAILED'
    when "tool_embeddings"."embedding" is null then 'PENDING'
    when (
      "tool_embeddings"."embedding_source" = 'FUNES'
      and "tool_embeddings"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  (
    with
      near as materialized (
        select
          "tool_embeddings"."id",
          "tool_embeddings"."embedding" <=> $1::vector as distance
        from
          "tool_embeddings"
        where
          (
            case
              when "tool_embeddings"."embedding_model" = $2::text then 1
            end
          ) is not null
        order by
          distance,
          "tool_embeddings"."id"
        limit
          $3
      ),
      completed as materialized (
        select
          *
        from
          (
            select
              "tool_embeddings"."id",
              "tool_embeddings"."embedding" <=> $1::vector as distance
            from
              "tool_embeddings"
            where
              (
                (
                  case
                    when "tool_embeddings"."embedding_model" = $2::text then 1
                  end
                ) is not null
                and not (
                  select
                    count(*)
                  from
                    near
                ) >= $4
              )
          ) candidate
        order by
          distance + 0,
          id
        limit
          $5
      ) (
        select
          *
        from
          near
        where
          (
            select
              count(*)
            from
              near
          ) >= $6
        order by
          distance,
          id
        limit
          $7
      )
    union all
    select
      *
    from
      completed
  ) as hit
  inner join "tool_embeddings" on "tool_embeddings"."id" = hit."id"
where
  1 / (
    select
      (coalesce(embedding_model, $2::text) = $2::text)::int
    from
      installation
  ) = 1
order by
  1::bigint asc,
  hit.distance asc,
  "tool_embeddings"."id" asc;
